using System.Runtime.CompilerServices;

namespace LazySnapshotter.Layers.Columns;

// Reads what ColumnWriter wrote, distrusting it: every number has a range, and a count is never larger than the bytes
// that are left, so that nothing is allocated on the word of a damaged file.
internal ref struct ColumnReader(ReadOnlySpan<byte> bytes, string section)
{
    private readonly string _section = section;
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    public readonly bool IsEmpty => _position == _bytes.Length;

    /// <summary>A number from 0 to <paramref name="max"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Number(long max, string what)
    {
        var value = Raw(what);
        return max >= 0 && value <= (ulong)max ? (long)value : throw Beyond(value, max, what);
    }

    /// <summary>The count of things that take at least one byte each.</summary>
    public int Count(int max, string what) => (int)Number(Math.Min(max, _bytes.Length - _position), what);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Signed(string what)
    {
        var value = Raw(what);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public ReadOnlySpan<byte> Bytes(long length, string what)
    {
        if (length < 0 || length > _bytes.Length - _position)
            throw Bad($"{what} of {length} bytes where {_bytes.Length - _position} are left");
        var bytes = _bytes.Slice(_position, (int)length);
        _position += (int)length;
        return bytes;
    }

    public readonly InvalidDataException Bad(string what) => new($"index, {_section}: {what}");

    private readonly InvalidDataException Beyond(ulong value, long max, string what) => Bad($"{what} is {value}, more than {max}");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Raw(string what)
    {
        // Most numbers are small.
        if ((uint)_position < (uint)_bytes.Length && _bytes[_position] < 0x80)
            return _bytes[_position++];
        return RawLong(what);
    }

    private ulong RawLong(string what)
    {
        var value = 0UL;
        var rest = _bytes[_position..];
        for (var i = 0; i < rest.Length && i < 10; i++)
        {
            var digit = rest[i];
            if (i == 9 && digit > 1)
                break; // more than 64 bits
            value |= (ulong)(digit & 0x7F) << (7 * i);
            if (digit < 0x80)
            {
                _position += i + 1;
                return value;
            }
        }

        throw Bad($"{what} is cut short or no number");
    }
}
