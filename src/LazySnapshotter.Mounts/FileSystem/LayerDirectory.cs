using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Linux;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Node.Catalog;

namespace LazySnapshotter.Mounts.FileSystem;

// One slot of the node's filesystem: a layer's table of contents shown as a directory tree. Everything but reading
// file content is answered from memory. Directories that the layer's tar does not mention look as they do in the
// layers below, and a layer with nothing below has no whiteouts (see ImplicitDirectories).
internal sealed class LayerDirectory(long slot, LazyLayer layer, ImplicitDirectories implicitDirectories)
{
    private readonly LayerToc _toc = layer.Toc;

    public LazyLayer Layer => layer;

    public Errno Lookup(int directory, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes)
    {
        node = default;
        attributes = default;
        if (!IsEntry(directory))
            return Errno.ENOENT;
        if (_toc[directory].Type != TocEntryType.Directory)
            return Errno.ENOTDIR;
        if (!_toc.TryFind(directory, name, out var entry) || IsHidden(entry))
            return Errno.ENOENT;

        node = new LayerNode(slot, entry).ToNodeId();
        attributes = AttributesOf(entry);
        return Errno.None;
    }

    public Errno GetAttributes(int entry, out NodeAttributes attributes)
    {
        attributes = IsEntry(entry) ? AttributesOf(entry) : default;
        return IsEntry(entry) ? Errno.None : Errno.ENOENT;
    }

    public Errno ReadLink(int entry, out ReadOnlyMemory<byte> target)
    {
        target = default;
        if (!IsEntry(entry))
            return Errno.ENOENT;
        if (_toc[entry].Type != TocEntryType.SymbolicLink)
            return Errno.EINVAL;
        target = _toc.LinkTarget(entry);
        return Errno.None;
    }

    public Errno ReadDirectory(int directory, long cookie, IDirectorySink sink)
    {
        if (!IsEntry(directory))
            return Errno.ENOENT;
        if (_toc[directory].Type != TocEntryType.Directory)
            return Errno.ENOTDIR;
        if (cookie < 0)
            return Errno.EINVAL;

        var count = _toc.ChildCount(directory);
        for (var position = cookie; position < count; position++)
        {
            var entry = _toc.ChildEntry(directory, (int)position);
            if (IsHidden(entry))
                continue;
            var attributes = AttributesOf(entry);
            if (!sink.TryAdd(_toc.ChildName(directory, (int)position), new LayerNode(slot, entry).ToNodeId(), in attributes, position + 1))
                break;
        }

        return Errno.None;
    }

    public ValueTask<int> ReadAsync(int entry, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (!IsEntry(entry) || _toc[entry].Type != TocEntryType.File)
            throw new IOException($"{layer.Digest}: entry {entry} is not a regular file");
        return layer.ReadAsync(entry, offset, destination, cancellationToken);
    }

    public Errno GetXattr(int entry, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
    {
        value = default;
        if (!IsEntry(entry))
            return Errno.ENOENT;
        foreach (var xattr in XattrsOf(entry))
        {
            if (name.SequenceEqual(xattr.Name.Span))
            {
                value = xattr.Value;
                return Errno.None;
            }
        }

        return Errno.ENODATA;
    }

    public Errno ListXattr(int entry, out ReadOnlyMemory<byte> names)
    {
        names = default;
        if (!IsEntry(entry))
            return Errno.ENOENT;
        var xattrs = XattrsOf(entry);
        if (xattrs.Count == 0)
            return Errno.None;

        var list = new byte[xattrs.Sum(x => x.Name.Length + 1)];
        var written = 0;
        foreach (var xattr in xattrs)
        {
            xattr.Name.Span.CopyTo(list.AsSpan(written));
            written += xattr.Name.Length + 1;
        }

        names = list;
        return Errno.None;
    }

    private bool IsEntry(int entry) => (uint)entry < (uint)_toc.Count;

    // overlayfs lists the whiteouts of a directory that it has nothing to merge with, as names that cannot be found.
    private bool IsHidden(int entry) => implicitDirectories.HidesWhiteouts && _toc[entry] is { IsWhiteout: true, Mode: 0 };

    private IReadOnlyList<TocXattr> XattrsOf(int entry) =>
        implicitDirectories.TryGet(entry, out var inherited) ? inherited.With(_toc.Xattrs(entry)) : _toc.Xattrs(entry);

    private NodeAttributes AttributesOf(int entry)
    {
        var toc = _toc[entry];
        return implicitDirectories.TryGet(entry, out var inherited)
            ? TocAttributes.Of(toc) with
            {
                Mode = TocAttributes.TypeBits(toc.Type) | inherited.Mode,
                Uid = inherited.Uid,
                Gid = inherited.Gid,
                ModifiedSeconds = inherited.MtimeSeconds,
                ModifiedNanoseconds = inherited.MtimeNanoseconds,
            }
            : TocAttributes.Of(toc);
    }
}
