using LazySnapshotter.Layers.Columns;

namespace LazySnapshotter.Layers.Toc;

// The TOC section of an index file (docs/FORMATS.md, "TOC section"): one column after the other, each so written that
// deflate finds the repetition in it. TocReader is its mirror image; change both or neither.
internal static class TocWriter
{
    /// <summary>About how long the section gets, so that the columns need not grow.</summary>
    public static int EstimateLength(LayerToc toc) => 1024 + toc.Count * 16 + toc.Columns.Names.Length;

    public static void Write(LayerToc toc, ColumnWriter writer)
    {
        var columns = toc.Columns;
        var count = toc.Count;
        writer.Number(count);
        writer.Number(columns.NameEntries.Length);

        writer.Bytes(columns.Types);
        WriteAttributes(columns, writer);
        WriteTimes(columns, writer);
        for (var entry = 0; entry < count; entry++)
        {
            if (columns.TypeOf(entry) != TocEntryType.Fifo)
                writer.Number(columns.Sizes[entry]);
        }

        WriteNames(columns, writer);
        writer.Bytes(columns.LinkTargets);
        WritePositions(columns, writer);
        WriteXattrs(columns, writer);
    }

    private static void WriteAttributes(TocColumns columns, ColumnWriter writer)
    {
        writer.Number(columns.Attributes.Length);
        foreach (var (mode, uid, gid) in columns.Attributes)
        {
            writer.Number((ulong)mode);
            writer.Number((ulong)uid);
            writer.Number((ulong)gid);
        }

        foreach (var index in columns.AttributeIndexes)
            writer.Number(index);
    }

    private static void WriteTimes(TocColumns columns, ColumnWriter writer)
    {
        var times = new TocTimes(columns);
        writer.Number(times.Count);
        var previous = 0L;
        foreach (var entry in times.FirstEntries)
        {
            writer.Signed(columns.MtimeSeconds[entry] - previous);
            previous = columns.MtimeSeconds[entry];
        }

        foreach (var entry in times.FirstEntries)
            writer.Number((ulong)columns.MtimeNanoseconds[entry]);

        // 0: the next time that no entry has had yet; otherwise one that has been, plus one.
        var next = 0;
        foreach (var time in times.Numbers)
        {
            writer.Number(time == next ? 0 : time + 1L);
            if (time == next)
                next++;
        }
    }

    // Names are front-coded: what a name shares with the one before it in its directory is only counted.
    private static void WriteNames(TocColumns columns, ColumnWriter writer)
    {
        ForEachName(columns, (text, shared) =>
        {
            writer.Number(shared);
            writer.Number(text.Length - shared);
        });
        ForEachName(columns, (text, shared) => writer.Bytes(text[shared..]));

        // 0: the next entry that has no name yet; otherwise one that has, plus one.
        var next = 1;
        foreach (var entry in columns.NameEntries)
        {
            writer.Number(entry == next ? 0 : entry + 1L);
            if (entry == next)
                next++;
        }
    }

    private static void ForEachName(TocColumns columns, Action<ReadOnlySpan<byte>, int> write)
    {
        for (var directory = 0; directory < columns.Types.Length; directory++)
        {
            if (columns.TypeOf(directory) != TocEntryType.Directory)
                continue;

            ReadOnlySpan<byte> previous = default;
            for (var i = 0; i < columns.ChildCount(directory); i++)
            {
                var name = columns.Name(columns.FirstName(directory) + i);
                write(name, previous.CommonPrefixLength(name));
                previous = name;
            }
        }
    }

    // A file's data mostly lies behind that of the file before it, rounded up to a block, and a header.
    private static void WritePositions(TocColumns columns, ColumnWriter writer)
    {
        var expected = 0L;
        for (var entry = 0; entry < columns.Types.Length; entry++)
        {
            if (columns.TypeOf(entry) != TocEntryType.File || columns.Sizes[entry] == 0)
                continue;

            var position = columns.Positions[entry];
            var extents = position < 0 ? columns.SparseExtents[~position] : null;
            writer.Number(extents is null ? 0L : extents.Length + 1L);
            if (extents is null)
            {
                writer.Signed(position - expected);
                expected = TocReader.ExpectedAfter(position, columns.Sizes[entry]);
                continue;
            }

            var end = 0L;
            foreach (var extent in extents)
            {
                writer.Number(extent.FileOffset - end);
                writer.Number(extent.Length);
                writer.Signed(extent.UncompressedOffset - expected);
                end = extent.FileEnd;
                expected = extent.UncompressedOffset + extent.Length;
            }
        }
    }

    private static void WriteXattrs(TocColumns columns, ColumnWriter writer)
    {
        // Sets are shared arrays, and numbered in the order in which entries use them.
        var sets = new Dictionary<TocXattr[], int>(ReferenceEqualityComparer.Instance);
        var entries = columns.Xattrs.Keys.Order().ToArray();
        foreach (var entry in entries)
            sets.TryAdd(columns.Xattrs[entry], sets.Count);

        writer.Number(sets.Count);
        foreach (var set in sets.OrderBy(pair => pair.Value).Select(pair => pair.Key))
        {
            writer.Number(set.Length);
            foreach (var xattr in set)
            {
                writer.Number(xattr.Name.Length);
                writer.Bytes(xattr.Name.Span);
                writer.Number(xattr.Value.Length);
                writer.Bytes(xattr.Value.Span);
            }
        }

        writer.Number(entries.Length);
        var previous = -1;
        foreach (var entry in entries)
        {
            writer.Number(entry - previous - 1);
            writer.Number(sets[columns.Xattrs[entry]]);
            previous = entry;
        }
    }
}
