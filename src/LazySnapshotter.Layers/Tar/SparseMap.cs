namespace LazySnapshotter.Layers.Tar;

// The map of a sparse file while it is being read, from whichever of pax' three formats it has (GNU tar manual, "Storing
// Sparse Files"). Pieces must rise and not overlap, lie within the file, and add up to the data stored.
internal sealed class SparseMap
{
    private readonly List<SparseExtent> _extents = [];

    /// <summary>Format 0.0: offsets and lengths as pax records of their own.</summary>
    public static SparseMap FromPairs(IReadOnlyList<long> pairs)
    {
        var map = new SparseMap();
        for (var i = 0; i + 1 < pairs.Count; i += 2)
            map.Add(pairs[i], pairs[i + 1]);
        return map;
    }

    /// <summary>Format 0.1: one pax record with the same numbers between commas.</summary>
    public static SparseMap FromText(ReadOnlySpan<byte> text)
    {
        var map = new SparseMap();
        while (!text.IsEmpty)
        {
            var offset = NextNumber(ref text);
            map.Add(offset, NextNumber(ref text));
        }

        return map;
    }

    public void Add(long offset, long length)
    {
        if (_extents.Count == TarLimits.SparseExtentCountMax)
            throw new InvalidDataException($"sparse map with more than {TarLimits.SparseExtentCountMax} entries");
        _extents.Add(new SparseExtent(offset, length));
    }

    /// <summary>Checks the map against the file's length and its stored bytes; leaves out empty pieces.</summary>
    public SparseExtent[] Complete(long size, long storedLength)
    {
        var extents = Complete(size);
        var sum = extents.Sum(extent => extent.Length);
        return sum == storedLength
            ? extents
            : throw new InvalidDataException($"sparse map describes {sum} bytes but {storedLength} are stored");
    }

    /// <summary>Checks the map against the file's length alone; leaves out empty pieces.</summary>
    public SparseExtent[] Complete(long size)
    {
        var end = 0L;
        foreach (var (offset, length) in _extents)
        {
            if (offset < end || length < 0 || offset > size || length > size - offset)
                throw new InvalidDataException($"sparse map entry {offset}+{length} overlaps or lies outside the file of {size} bytes");
            end = offset + length;
        }

        _extents.RemoveAll(extent => extent.Length == 0);
        return [.. _extents];
    }

    private static long NextNumber(ref ReadOnlySpan<byte> text)
    {
        var comma = text.IndexOf((byte)',');
        var digits = comma < 0 ? text : text[..comma];
        text = comma < 0 ? default : text[(comma + 1)..];
        return TarNumber.TryParseDecimal(digits, out var value)
            ? value
            : throw new InvalidDataException("sparse map entry is not a number");
    }
}
