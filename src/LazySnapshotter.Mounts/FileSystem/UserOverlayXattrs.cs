using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Mounts.FileSystem;

// Layers for an overlayfs that was mounted with `userxattr`, as in a user namespace: it looks for its marks in user.overlay.*
// and not in trusted.overlay.*. So the mark of an opaque directory is shown under that name, and what a layer's tar brought
// there, which anybody may write, is not shown at all: it must not hide files or redirect lookups.
public sealed class UserOverlayXattrs(IFuseFileSystem layers) : IFuseFileSystem
{
    private static ReadOnlySpan<byte> UserPrefix => "user.overlay."u8;

    private static ReadOnlySpan<byte> UserOpaque => "user.overlay.opaque"u8;

    public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
    {
        if (name.SequenceEqual(UserOpaque))
            return layers.GetXattr(node, LayerToc.OpaqueXattr, out value);
        value = default;
        return name.StartsWith(UserPrefix) || name.SequenceEqual(LayerToc.OpaqueXattr)
            ? Errno.ENODATA
            : layers.GetXattr(node, name, out value);
    }

    public Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names)
    {
        var errno = layers.ListXattr(node, out names);
        if (errno != Errno.None || names.Span.IndexOf(".overlay."u8) < 0)
            return errno;

        var shown = new List<byte>(names.Length);
        foreach (var range in names.Span.Split((byte)0))
        {
            var name = names.Span[range];
            if (name.IsEmpty || name.StartsWith(UserPrefix))
                continue;
            shown.AddRange(name.SequenceEqual(LayerToc.OpaqueXattr) ? UserOpaque : name);
            shown.Add(0);
        }

        names = shown.ToArray();
        return Errno.None;
    }

    public Task? WhenReady(NodeId node, ReadOnlySpan<byte> name) => layers.WhenReady(node, name);

    public bool IsImmutable(NodeId directory) => layers.IsImmutable(directory);

    public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes) =>
        layers.Lookup(parent, name, out node, out attributes);

    public Errno GetAttributes(NodeId node, out NodeAttributes attributes) => layers.GetAttributes(node, out attributes);

    public Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target) => layers.ReadLink(node, out target);

    public Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink) => layers.ReadDirectory(directory, cookie, sink);

    public ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        layers.ReadAsync(file, offset, destination, cancellationToken);

    public FileSystemTotals GetTotals() => layers.GetTotals();
}
