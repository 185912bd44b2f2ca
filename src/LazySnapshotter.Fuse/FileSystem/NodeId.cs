namespace LazySnapshotter.Fuse.FileSystem;

// What the kernel calls a node (`nodeid` in fuse.h). 1 is the mount's root; every other value is the filesystem's own.
public readonly record struct NodeId(ulong Value)
{
    public static readonly NodeId Root = new(1);

    public override string ToString() => Value.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
}
