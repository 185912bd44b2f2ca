using System.Buffers;

namespace LazySnapshotter.Layers.Index;

// Writes the columns of a section: numbers as LEB128 (seven bits a byte, lowest first), signed ones zigzagged first.
internal sealed class ColumnWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public void Number(ulong value)
    {
        var bytes = _buffer.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        _buffer.Advance(length);
    }

    public void Number(long value) => Number((ulong)value);

    public void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

    public void Bytes(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);
}
