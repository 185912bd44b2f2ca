namespace LazySnapshotter.Layers.Index;

// Reads what ColumnWriter wrote, distrusting it: every number has a range, and a count is never larger than the bytes
// that are left, so that nothing is allocated on the word of a damaged file.
internal ref struct ColumnReader(ReadOnlySpan<byte> bytes, string section)
{
    private readonly string _section = section;
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>A number from 0 to <paramref name="max"/>.</summary>
    public long Number(long max, string what)
    {
        var value = Raw(what);
        return value <= (ulong)max ? (long)value : throw Bad($"{what} is {value}, more than {max}");
    }

    /// <summary>The count of things that take at least one byte each.</summary>
    public int Count(int max, string what) => (int)Number(Math.Min(max, _rest.Length), what);

    public long Signed(string what)
    {
        var value = Raw(what);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public ReadOnlySpan<byte> Bytes(long length, string what)
    {
        if (length < 0 || length > _rest.Length)
            throw Bad($"{what} of {length} bytes where {_rest.Length} are left");
        var bytes = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return bytes;
    }

    public readonly InvalidDataException Bad(string what) => new($"index, {_section}: {what}");

    private ulong Raw(string what)
    {
        var value = 0UL;
        for (var i = 0; i < _rest.Length && i < 10; i++)
        {
            var digit = _rest[i];
            if (i == 9 && digit > 1)
                break; // more than 64 bits
            value |= (ulong)(digit & 0x7F) << (7 * i);
            if (digit < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw Bad($"{what} is cut short or no number");
    }
}
