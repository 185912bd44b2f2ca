namespace LazySnapshotter.Layers.Columns;

// Writes the columns of a section: numbers as LEB128 (seven bits a byte, lowest first), signed ones zigzagged first.
internal sealed class ColumnWriter(int capacity = 4096)
{
    private const int NumberLengthMax = 10;

    private byte[] _bytes = new byte[capacity];
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Number(ulong value)
    {
        Reserve(NumberLengthMax);
        for (; value >= 0x80; value >>= 7)
            _bytes[_length++] = (byte)(value | 0x80);
        _bytes[_length++] = (byte)value;
    }

    public void Number(long value) => Number((ulong)value);

    public void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    // Half as much again, not twice: of a large layer's columns the last copy counts.
    private void Reserve(int length)
    {
        if (length > _bytes.Length - _length)
            Array.Resize(ref _bytes, checked((int)Math.Max(Math.Min(_length * 3L / 2, Array.MaxLength), (long)_length + length)));
    }
}
