using System.Buffers.Binary;

namespace LazySnapshotter.Codecs.Deflate;

// Bits in deflate's order, the lowest of a byte first (RFC 1951, section 3.1.1), into a buffer that grows.
internal sealed class DeflateBitWriter
{
    private const int StartLength = 4096;

    /// <summary>More than a window ever takes.</summary>
    private const int KeptLengthMax = 64 * 1024;

    private byte[] _bytes = new byte[StartLength];
    private int _length;
    private ulong _bits;
    private int _bitCount;

    /// <summary>How many bits of the last byte are taken (0: it is full).</summary>
    public int BitOffsetInByte => _bitCount & 7;

    public void Clear() => (_length, _bits, _bitCount) = (0, 0, 0);

    /// <summary>Makes room for so many bytes more; <see cref="Write"/> does not.</summary>
    public void Reserve(int length)
    {
        const int Slack = 16; // what is still in _bits, and a whole word is stored each time
        if (_length + length + Slack > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + length + Slack));
    }

    /// <param name="count">At most 48; all higher bits of <paramref name="value"/> are 0.</param>
    public void Write(ulong value, int count)
    {
        _bits |= value << _bitCount;
        _bitCount += count;
        if (_bitCount < 16)
            return;
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), _bits);
        var whole = _bitCount >> 3;
        _length += whole;
        _bits >>= whole * 8;
        _bitCount &= 7;
    }

    /// <summary>Fills the last byte up, then appends bytes.</summary>
    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        Align();
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>What has been written, whole bytes; the writer is empty then, and keeps no large buffer.</summary>
    public byte[] Take()
    {
        Align();
        var written = _bytes.AsSpan(0, _length).ToArray();
        if (_bytes.Length > KeptLengthMax)
            _bytes = new byte[StartLength];
        Clear();
        return written;
    }

    private void Align()
    {
        Reserve(8);
        for (; _bitCount > 0; _bitCount -= 8, _bits >>= 8)
            _bytes[_length++] = (byte)_bits;
        _bitCount = 0;
    }
}
