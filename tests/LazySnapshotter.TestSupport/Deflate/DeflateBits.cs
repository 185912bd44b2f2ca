namespace LazySnapshotter.TestSupport.Deflate;

// Writes deflate data bit by bit (RFC 1951, section 3.1.1): numbers from their lowest bit on, Huffman codes from their highest.
public sealed class DeflateBits
{
    private static readonly byte[] CodeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly List<byte> _bytes = [];

    /// <summary>In bits.</summary>
    public int Length { get; private set; }

    public int BitOffset => Length & 7;

    public byte[] ToArray() => [.. _bytes];

    public DeflateBits Number(int value, int count)
    {
        for (var i = 0; i < count; i++)
            Bit(value >> i & 1);
        return this;
    }

    public DeflateBits Code(int code, int length)
    {
        for (var i = length - 1; i >= 0; i--)
            Bit(code >> i & 1);
        return this;
    }

    public DeflateBits Stored(ReadOnlySpan<byte> content, bool isLast)
    {
        Number(isLast ? 1 : 0, 3);
        while (BitOffset != 0)
            Bit(0);
        Number(content.Length, 16).Number(~content.Length, 16);
        foreach (var value in content)
            Number(value, 8);
        return this;
    }

    public DeflateBits FixedHeader(bool isLast) => Number(isLast ? 1 : 0, 1).Number(1, 2);

    /// <summary>A literal, a length or the end of a block in the fixed code.</summary>
    public DeflateBits FixedSymbol(int symbol) => symbol switch
    {
        < 144 => Code(0x30 + symbol, 8),
        < 256 => Code(0x190 + symbol - 144, 9),
        < 280 => Code(symbol - 256, 7),
        _ => Code(0xC0 + symbol - 280, 8),
    };

    public DeflateBits EmptyFixed() => FixedHeader(isLast: false).FixedSymbol(256);

    /// <summary>93 bits, an odd number: the end of the block is its only symbol.</summary>
    public DeflateBits EmptyDynamic()
    {
        var lengths = new byte[257];
        lengths[256] = 1;
        var codeLengths = new byte[19];
        (codeLengths[18], codeLengths[1], codeLengths[0]) = (2, 1, 2);
        return DynamicHeader(false, 257, 1, codeLengths)
            .Code(0b11, 2).Number(138 - 11, 7).Code(0b11, 2).Number(118 - 11, 7) // 256 zeros
            .Code(0, 1) // a one
            .Code(0b10, 2) // no distance
            .Code(0, 1);
    }

    /// <summary>
    /// A dynamic block's header with any lengths at all, each written as it is, by a code with four bits for each of 0 to 15.
    /// </summary>
    public DeflateBits Dynamic(bool isLast, ReadOnlySpan<byte> lengths, ReadOnlySpan<byte> distanceLengths)
    {
        var codeLengths = new byte[19];
        codeLengths.AsSpan(0, 16).Fill(4);
        DynamicHeader(isLast, lengths.Length, distanceLengths.Length, codeLengths);
        foreach (var length in lengths)
            Code(length, 4);
        foreach (var length in distanceLengths)
            Code(length, 4);
        return this;
    }

    public DeflateBits DynamicHeader(bool isLast, int lengthCount, int distanceCount, byte[] codeLengths)
    {
        var written = Math.Max(4, Array.FindLastIndex(CodeLengthOrder, symbol => codeLengths[symbol] != 0) + 1);
        Number(isLast ? 1 : 0, 1).Number(2, 2).Number(lengthCount - 257, 5).Number(distanceCount - 1, 5).Number(written - 4, 4);
        foreach (var symbol in CodeLengthOrder.AsSpan(0, written))
            Number(codeLengths[symbol], 3);
        return this;
    }

    private void Bit(int bit)
    {
        if (BitOffset == 0)
            _bytes.Add(0);
        _bytes[^1] |= (byte)(bit << BitOffset);
        Length++;
    }
}
