using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Layers.Verify;

// Compares the tree in an index with the tree a fresh pass over the tar makes: name by name from the root, every
// attribute of every entry, where each piece of content lies, and which names are links to one inode.
internal sealed class TocProof(LayerToc fresh, LayerToc indexed)
{
    private readonly CheckTally _names = new("TOC names");
    private readonly CheckTally _types = new("TOC types and modes");
    private readonly CheckTally _owners = new("TOC owners");
    private readonly CheckTally _times = new("TOC times");
    private readonly CheckTally _contents = new("TOC sizes and data");
    private readonly CheckTally _targets = new("TOC link targets");
    private readonly CheckTally _links = new("TOC hard links");
    private readonly CheckTally _xattrs = new("TOC xattrs");

    /// <summary>The indexed entry each fresh one was met as; -1 for not met yet.</summary>
    private readonly int[] _indexedOf = NewMap(fresh.Count);
    private readonly int[] _freshOf = NewMap(indexed.Count);
    private readonly Stack<(int Fresh, int Indexed)> _directories = new();

    public IEnumerable<IndexCheck> Run()
    {
        CompareEntry(0, 0);
        while (_directories.TryPop(out var pair))
            CompareNames(pair.Fresh, pair.Indexed);
        return from tally in new[] { _names, _types, _owners, _times, _contents, _targets, _links, _xattrs } select tally.Result;
    }

    private void CompareNames(int directory, int indexedDirectory)
    {
        var count = fresh.ChildCount(directory);
        var indexedCount = indexed.ChildCount(indexedDirectory);
        for (int i = 0, j = 0; i < count || j < indexedCount;)
        {
            var order = i == count ? 1 : j == indexedCount ? -1
                : fresh.ChildName(directory, i).SequenceCompareTo(indexed.ChildName(indexedDirectory, j));
            _names.Compare();
            if (order < 0)
                _names.Differ(Missing("is not in the index", PathOf(fresh, directory, fresh.ChildName(directory, i++))));
            else if (order > 0)
                _names.Differ(Missing(
                    "is in the index, but not in the layer", PathOf(indexed, indexedDirectory, indexed.ChildName(indexedDirectory, j++))));
            else
                CompareEntry(fresh.ChildEntry(directory, i++), indexed.ChildEntry(indexedDirectory, j++));
        }
    }

    private void CompareEntry(int entry, int indexedEntry)
    {
        if (_indexedOf[entry] >= 0 || _freshOf[indexedEntry] >= 0)
        {
            _links.Expect(
                _indexedOf[entry] == indexedEntry, () => Difference(entry, "its names are links to other inodes than in the index"));
            return;
        }

        _indexedOf[entry] = indexedEntry;
        _freshOf[indexedEntry] = entry;
        var (layer, index) = (fresh[entry], indexed[indexedEntry]);
        _types.Expect(
            layer.Type == index.Type && layer.Mode == index.Mode
                && layer.IsImplicit == index.IsImplicit && layer.IsNamedLate == index.IsNamedLate
                && layer.DeviceMajor == index.DeviceMajor && layer.DeviceMinor == index.DeviceMinor,
            () => Difference(entry, $"the layer has {Describe(layer)}, the index {Describe(index)}"));
        _owners.Expect(
            layer.Uid == index.Uid && layer.Gid == index.Gid,
            () => Difference(entry, $"owner {layer.Uid}:{layer.Gid} in the layer, {index.Uid}:{index.Gid} in the index"));
        _times.Expect(
            layer.MtimeSeconds == index.MtimeSeconds && layer.MtimeNanoseconds == index.MtimeNanoseconds,
            () => Difference(entry, $"time {layer.MtimeSeconds}.{layer.MtimeNanoseconds:d9} in the " +
                $"layer, {index.MtimeSeconds}.{index.MtimeNanoseconds:d9} in the index"));
        CompareXattrs(entry, fresh.Xattrs(entry), indexed.Xattrs(indexedEntry));
        if (layer.Type != index.Type)
            return;

        switch (layer.Type)
        {
            case TocEntryType.Directory:
                _directories.Push((entry, indexedEntry));
                break;
            case TocEntryType.SymbolicLink:
                var (target, indexedTarget) = (fresh.LinkTarget(entry), indexed.LinkTarget(indexedEntry));
                _targets.Expect(target.Span.SequenceEqual(indexedTarget.Span), () => Difference(
                    entry, $"target {TarPath.Display(target.Span)} in the layer, {TarPath.Display(indexedTarget.Span)} in the index"));
                break;
            case TocEntryType.File:
                CompareContent(entry, indexedEntry);
                break;
        }
    }

    private void CompareContent(int entry, int indexedEntry)
    {
        var (size, indexedSize) = (fresh[entry].Size, indexed[indexedEntry].Size);
        var (extents, indexedExtents) = (fresh.Extents(entry), indexed.Extents(indexedEntry));
        if (size != indexedSize || extents.Count != indexedExtents.Count)
        {
            _contents.Expect(false, () => Difference(
                entry, $"{size} bytes in {extents.Count} pieces in the layer, {indexedSize} in {indexedExtents.Count} in the index"));
            return;
        }

        for (var i = 0; i < extents.Count; i++)
        {
            if (extents[i] == indexedExtents[i])
                continue;
            var (piece, indexedPiece) = (extents[i], indexedExtents[i]);
            _contents.Expect(false, () =>
                Difference(entry, $"its bytes {piece.FileOffset} to {piece.FileEnd} are at uncompressed offset {piece.UncompressedOffset}, "
                + $"the index says {indexedPiece.FileOffset} to {indexedPiece.FileEnd} at {indexedPiece.UncompressedOffset}") with
            { UncompressedOffset = piece.UncompressedOffset });
            return;
        }

        _contents.Compare();
    }

    private void CompareXattrs(int entry, IReadOnlyList<TocXattr> layer, IReadOnlyList<TocXattr> index)
    {
        var isEqual = layer.Count == index.Count;
        for (var i = 0; isEqual && i < layer.Count; i++)
            isEqual = layer[i].Name.Span.SequenceEqual(index[i].Name.Span) && layer[i].Value.Span.SequenceEqual(index[i].Value.Span);
        _xattrs.Expect(isEqual, () => Difference(entry, $"xattrs {Describe(layer)} in the layer, {Describe(index)} in the index"));
    }

    private static string Describe(in TocEntry entry)
    {
        var isDevice = entry.Type is TocEntryType.CharacterDevice or TocEntryType.BlockDevice;
        return $"{entry.Type} {Convert.ToString(entry.Mode, 8)}" + (isDevice ? $" {entry.DeviceMajor}:{entry.DeviceMinor}" : "")
            + (entry.IsImplicit ? " (implicit)" : "");
    }

    private static string Describe(IReadOnlyList<TocXattr> xattrs) => xattrs.Count == 0 ? "none"
        : string.Join(", ", xattrs.Select(xattr =>
            $"{TarPath.Display(xattr.Name.Span)}={Convert.ToHexStringLower(xattr.Value.Span[..Math.Min(xattr.Value.Length, 32)])}"));

    private IndexDifference Difference(int entry, string what)
    {
        var path = fresh.PathOf(entry);
        return new($"{(entry == 0 ? "\"/\"" : TarPath.Display(path))}: {what}") { Path = System.Text.Encoding.UTF8.GetString(path) };
    }

    private static IndexDifference Missing(string what, byte[] path) =>
        new($"{TarPath.Display(path)} {what}") { Path = System.Text.Encoding.UTF8.GetString(path) };

    private static byte[] PathOf(LayerToc toc, int directory, ReadOnlySpan<byte> name)
    {
        var parent = toc.PathOf(directory);
        return parent.Length == 0 ? name.ToArray() : [.. parent, (byte)'/', .. name];
    }

    private static int[] NewMap(int count)
    {
        var map = new int[count];
        Array.Fill(map, -1);
        return map;
    }
}
