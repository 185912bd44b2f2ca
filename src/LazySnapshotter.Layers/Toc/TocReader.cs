using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// Reads the TOC section of an index file (docs/FORMATS.md, "TOC section") and checks everything a LayerToc relies on:
// the names of a directory are valid and rise, each entry has a name, a directory exactly one and a higher number than
// its parent (so the tree is a tree), and all data lies inside the layer.
internal static class TocReader
{
    public static LayerToc Read(ReadOnlySpan<byte> section, long uncompressedLength)
    {
        var reader = new ColumnReader(section, "TOC");
        var count = reader.Count(TarLimits.EntryCountMax + 1, "entry count");
        var nameCount = reader.Count(TarLimits.EntryCountMax, "name count");
        if (count == 0)
            throw reader.Bad("no entries, not even the root");

        var types = ReadTypes(ref reader, count);
        var attributes = ReadAttributes(ref reader);
        var attributeIndexes = ReadNumbers(ref reader, count, attributes.Length - 1, "attributes");
        var (mtimeSeconds, mtimeNanoseconds) = ReadTimes(ref reader, count);
        var sizes = ReadSizes(ref reader, types);
        var positions = new long[count];
        var names = TocNamesReader.Read(ref reader, types, sizes, positions, nameCount);
        var linkTargets = ReadLinkTargets(ref reader, types, sizes, positions);
        var sparse = ReadPositions(ref reader, types, sizes, positions, uncompressedLength);
        var xattrs = ReadXattrs(ref reader, count);
        if (!reader.IsEmpty)
            throw reader.Bad("bytes are left over");

        return new LayerToc(new TocColumns
        {
            Types = types,
            AttributeIndexes = attributeIndexes,
            Attributes = attributes,
            MtimeSeconds = mtimeSeconds,
            MtimeNanoseconds = mtimeNanoseconds,
            Sizes = sizes,
            Positions = positions,
            SparseExtents = sparse,
            LinkTargets = linkTargets,
            Names = names.Texts,
            NameOffsets = names.Offsets,
            NameEntries = names.Entries,
            Xattrs = xattrs,
        });
    }

    /// <summary>Where the next file's data is expected: behind this one's last block and one header.</summary>
    public static long ExpectedAfter(long position, long size) => position + ((size + 511) & ~511L) + 512;

    public static TocEntryType TypeOf(byte type) => (TocEntryType)(type & ~(TocColumns.ImplicitFlag | TocColumns.NamedLateFlag));

    private static byte[] ReadTypes(ref ColumnReader reader, int count)
    {
        var types = reader.Bytes(count, "types").ToArray();
        for (var i = 0; i < count; i++)
        {
            var flags = types[i] - (int)TypeOf(types[i]);
            var isKnown = flags == 0
                || (flags is TocColumns.ImplicitFlag or TocColumns.NamedLateFlag && TypeOf(types[i]) == TocEntryType.Directory);
            if (TypeOf(types[i]) > TocEntryType.Fifo || !isKnown)
                throw reader.Bad($"entry {i} has the unknown type 0x{types[i]:x2}");
        }

        return TypeOf(types[0]) == TocEntryType.Directory ? types : throw reader.Bad("the root is not a directory");
    }

    private static TocAttributes[] ReadAttributes(ref ColumnReader reader)
    {
        var attributes = new TocAttributes[reader.Count(TarLimits.EntryCountMax + 1, "attributes count")];
        for (var i = 0; i < attributes.Length; i++)
        {
            var mode = (ushort)reader.Number(0xFFF, "mode");
            attributes[i] = new TocAttributes(mode, (uint)reader.Number(uint.MaxValue, "uid"), (uint)reader.Number(uint.MaxValue, "gid"));
        }

        return attributes.Length > 0 ? attributes : throw reader.Bad("no attributes");
    }

    private static int[] ReadNumbers(ref ColumnReader reader, int count, int max, string what)
    {
        var numbers = new int[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (int)reader.Number(max, what);
        return numbers;
    }

    private static (long[] Seconds, uint[] Nanoseconds) ReadTimes(ref ColumnReader reader, int count)
    {
        var times = new (long Seconds, uint Nanoseconds)[reader.Count(count, "time count")];
        var previous = 0L;
        for (var i = 0; i < times.Length; i++)
            times[i].Seconds = previous = unchecked(previous + reader.Signed("mtime"));
        for (var i = 0; i < times.Length; i++)
            times[i].Nanoseconds = (uint)reader.Number(999_999_999, "mtime nanoseconds");

        var seconds = new long[count];
        var nanoseconds = new uint[count];
        var next = 0;
        for (var i = 0; i < count; i++)
        {
            var value = (int)reader.Number(next, "time");
            var time = value == 0 ? next++ : value - 1;
            if (time >= times.Length)
                throw reader.Bad($"more times than {times.Length}");
            (seconds[i], nanoseconds[i]) = times[time];
        }

        return next == times.Length ? (seconds, nanoseconds) : throw reader.Bad($"{times.Length - next} times that no entry has");
    }

    private static long[] ReadSizes(ref ColumnReader reader, byte[] types)
    {
        var sizes = new long[types.Length];
        for (var i = 0; i < types.Length; i++)
        {
            sizes[i] = TypeOf(types[i]) switch
            {
                TocEntryType.Fifo => 0,
                TocEntryType.Directory => reader.Number(TarLimits.EntryCountMax, "child count"),
                TocEntryType.SymbolicLink => reader.Number(TarLimits.PathLengthMax, "link target length"),
                TocEntryType.File => reader.Number(TarLimits.FileLengthMax, "file size"),
                _ => reader.Number((long)TarLimits.DeviceMajorMax << 32 | uint.MaxValue, "device number"),
            };
        }

        return sizes;
    }

    private static byte[] ReadLinkTargets(ref ColumnReader reader, byte[] types, long[] sizes, long[] positions)
    {
        var length = 0L;
        for (var i = 0; i < types.Length; i++)
        {
            if (TypeOf(types[i]) != TocEntryType.SymbolicLink)
                continue;
            positions[i] = length;
            length += sizes[i];
        }

        return reader.Bytes(length, "link targets").ToArray();
    }

    private static TocExtent[][] ReadPositions(
        ref ColumnReader reader, byte[] types, long[] sizes, long[] positions, long uncompressedLength)
    {
        var sparse = new List<TocExtent[]>();
        var expected = 0L;
        for (var i = 0; i < types.Length; i++)
        {
            if (TypeOf(types[i]) != TocEntryType.File || sizes[i] == 0)
                continue;

            var pieces = reader.Number(TarLimits.SparseExtentTotalMax + 1, "piece count");
            if (pieces > 0)
            {
                positions[i] = ~sparse.Count;
                sparse.Add(ReadSparse(ref reader, (int)pieces - 1, sizes[i], uncompressedLength, ref expected));
                continue;
            }

            positions[i] = ReadOffset(ref reader, expected, sizes[i], uncompressedLength);
            expected = ExpectedAfter(positions[i], sizes[i]);
        }

        return [.. sparse];
    }

    private static TocExtent[] ReadSparse(ref ColumnReader reader, int count, long size, long uncompressedLength, ref long expected)
    {
        var extents = new List<TocExtent>(); // grows with what is there, not with what is claimed
        var end = 0L;
        for (var i = 0; i < count; i++)
        {
            var fileOffset = end + reader.Number(size - end, "sparse gap");
            var length = reader.Number(size - fileOffset, "sparse length");
            if (length == 0)
                throw reader.Bad("a sparse piece is empty");
            var offset = ReadOffset(ref reader, expected, length, uncompressedLength);
            extents.Add(new TocExtent(fileOffset, offset, length));
            end = fileOffset + length;
            expected = offset + length;
        }

        return [.. extents];
    }

    private static long ReadOffset(ref ColumnReader reader, long expected, long length, long uncompressedLength)
    {
        var offset = unchecked(expected + reader.Signed("data offset"));
        return offset >= 0 && length <= uncompressedLength && offset <= uncompressedLength - length
            ? offset
            : throw reader.Bad($"data at {offset}+{length} lies outside the layer of {uncompressedLength} bytes");
    }

    private static Dictionary<int, TocXattr[]> ReadXattrs(ref ColumnReader reader, int entryCount)
    {
        var sets = new TocXattr[reader.Count(TarLimits.EntryCountMax, "xattr set count")][];
        for (var i = 0; i < sets.Length; i++)
        {
            sets[i] = new TocXattr[reader.Count(TarLimits.XattrCountMax, "xattr count")];
            for (var j = 0; j < sets[i].Length; j++)
            {
                var name = reader.Bytes(reader.Number(TarLimits.XattrNameLengthMax, "xattr name length"), "xattr name");
                var value = reader.Bytes(reader.Number(TarLimits.XattrValueLengthMax, "xattr value length"), "xattr value");
                sets[i][j] = new TocXattr(name.ToArray(), value.ToArray());
            }
        }

        var xattrs = new Dictionary<int, TocXattr[]>();
        var count = reader.Count(entryCount, "count of entries with xattrs");
        var entry = -1L;
        for (var i = 0; i < count; i++)
        {
            entry += 1 + reader.Number(entryCount, "entry with xattrs");
            if (entry >= entryCount)
                throw reader.Bad($"xattrs of entry {entry} of {entryCount}");
            xattrs.Add((int)entry, sets[reader.Number(sets.Length - 1, "xattr set")]);
        }

        return xattrs;
    }
}
