using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// Puts attributes together with how long the kernel may believe them (IFuseFileSystem.IsImmutable).
internal static class FuseReplies
{
    /// <summary>"There is no such name", for ever.</summary>
    public static FuseEntryOut NoEntry => new(default, default, FuseEntryOut.ForEver, 0);

    public static FuseEntryOut Entry(IFuseFileSystem fileSystem, NodeId node, in NodeAttributes attributes) =>
        new(node, new FuseAttr(node, attributes), FuseEntryOut.ForEver, AttributesValid(fileSystem, node, attributes));

    public static FuseAttrOut Attributes(IFuseFileSystem fileSystem, NodeId node, in NodeAttributes attributes) =>
        new(new FuseAttr(node, attributes), AttributesValid(fileSystem, node, attributes));

    private static ulong AttributesValid(IFuseFileSystem fileSystem, NodeId node, in NodeAttributes attributes)
    {
        var isDirectory = (attributes.Mode & Linux.ModeBits.S_IFMT) == (uint)FileType.S_IFDIR;
        return !isDirectory || fileSystem.IsImmutable(node) ? FuseEntryOut.ForEver : 0;
    }
}
