using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts.Implicit;

// What an implicit directory takes from the same directory in a layer below. Mode holds the permission bits only. Where only
// xattrs are inherited (a directory named late, what was made below a directory with a default ACL), the rest is its own.
internal sealed record InheritedDirectory(
    uint Mode, uint Uid, uint Gid, long MtimeSeconds, uint MtimeNanoseconds, IReadOnlyList<TocXattr> Xattrs)
{
    /// <summary>
    /// The xattrs beside those the layer itself has for the entry: that it is opaque, what a default ACL above gave it. What is
    /// inherited was set later, and wins.
    /// </summary>
    public IReadOnlyList<TocXattr> With(IReadOnlyList<TocXattr> own) =>
        own.Count == 0 ? Xattrs : [.. Xattrs, .. own.Where(xattr => ValueOf(Xattrs, xattr.Name.Span) is null)];

    public static ReadOnlyMemory<byte>? ValueOf(IReadOnlyList<TocXattr> xattrs, ReadOnlySpan<byte> name)
    {
        foreach (var xattr in xattrs)
        {
            if (xattr.Name.Span.SequenceEqual(name))
                return xattr.Value;
        }

        return null;
    }
}
