using System.Runtime.CompilerServices;

namespace LazySnapshotter.Codecs.Deflate;

// Writes one deflate block in the smallest of its three forms (RFC 1951, sections 3.2.4 to 3.2.7), and can tell how
// large one would be.
internal sealed class DeflateBlockWriter(DeflateBitWriter output)
{
    private const int CodeLengthAlphabet = 19;
    private const int CodeLengthLimit = 7;
    private const int StoredLengthMax = 65535;
    private const int HeaderBits = 3;

    private readonly byte[] _literalLengths = new byte[DeflateSymbols.LiteralCount];
    private readonly byte[] _distanceLengths = new byte[DeflateSymbols.DistanceCount];
    private readonly ushort[] _literalCodes = new ushort[DeflateSymbols.LiteralCount];
    private readonly ushort[] _distanceCodes = new ushort[DeflateSymbols.DistanceCount];
    private readonly int[] _codeLengthFrequencies = new int[CodeLengthAlphabet];
    private readonly byte[] _codeLengthLengths = new byte[CodeLengthAlphabet];
    private readonly ushort[] _codeLengthCodes = new ushort[CodeLengthAlphabet];

    // The code lengths of both alphabets, run-length coded: symbol | extra bits << 8.
    private readonly ushort[] _codeLengths = new ushort[DeflateSymbols.LiteralCount + DeflateSymbols.DistanceCount];
    private int _codeLengthCount;
    private int _literalsSent;
    private int _distancesSent;
    private int _codeLengthsSent;
    private DeflateFrequencies? _measured; // whose code lengths these are
    private long _measuredBits;

    // Section 3.2.7: the order in which the lengths of the code length codes are sent.
    private static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private static ReadOnlySpan<byte> CodeLengthExtraBits => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];

    /// <summary>Bits of a block with codes of its own.</summary>
    public long CostOf(DeflateFrequencies frequencies)
    {
        frequencies.Literals[DeflateSymbols.EndOfBlock] = 1;
        DeflateHuffman.BuildLengths(frequencies.Literals, _literalLengths, DeflateHuffman.CodeLengthMax);
        DeflateHuffman.BuildLengths(frequencies.Distances, _distanceLengths, DeflateHuffman.CodeLengthMax);
        PackCodeLengths();

        var bits = HeaderBits + 14L + 3 * _codeLengthsSent + ContentBits(frequencies);
        for (var i = 0; i < CodeLengthAlphabet; i++)
            bits += (long)_codeLengthFrequencies[i] * (_codeLengthLengths[i] + CodeLengthExtraBits[i]);
        (_measured, _measuredBits) = (frequencies, bits);
        return bits;
    }

    /// <summary>Writes a block. If its frequencies were the last to be measured, they have not changed since.</summary>
    /// <param name="symbols">Literals as they are; matches as distance &lt;&lt; 9 | length.</param>
    /// <param name="content">What the symbols stand for.</param>
    public void Write(ReadOnlySpan<uint> symbols, DeflateFrequencies frequencies, ReadOnlySpan<byte> content, bool isLast)
    {
        var dynamicBits = ReferenceEquals(frequencies, _measured) ? _measuredBits : CostOf(frequencies);
        _measured = null;
        var storedBlocks = Math.Max(1, (content.Length + StoredLengthMax - 1) / StoredLengthMax);
        var filling = -(output.BitOffsetInByte + HeaderBits) & 7;
        var storedBits = content.Length * 8L + HeaderBits + filling + 32 + (storedBlocks - 1) * 40L;
        var fixedBits = FixedCost(frequencies);
        output.Reserve((int)(Math.Min(dynamicBits, Math.Min(storedBits, fixedBits)) / 8) + 64 + storedBlocks * 8);
        if (storedBits < dynamicBits && storedBits < fixedBits)
        {
            WriteStored(content, isLast);
            return;
        }

        output.Write(isLast ? 1u : 0u, 1);
        if (fixedBits <= dynamicBits)
        {
            output.Write(1, 2);
            SetFixedLengths();
        }
        else
        {
            output.Write(2, 2);
            WriteCodeLengths();
        }

        DeflateHuffman.BuildCodes(_literalLengths, _literalCodes);
        DeflateHuffman.BuildCodes(_distanceLengths, _distanceCodes);
        WriteSymbols(symbols);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private long ContentBits(DeflateFrequencies frequencies)
    {
        var bits = 0L;
        for (var i = 0; i <= DeflateSymbols.EndOfBlock; i++)
            bits += (long)frequencies.Literals[i] * _literalLengths[i];
        for (var code = 0; code < DeflateSymbols.LengthExtraBits.Length; code++)
            bits += (long)frequencies.Literals[code + 257] * (_literalLengths[code + 257] + DeflateSymbols.LengthExtraBits[code]);
        for (var code = 0; code < DeflateSymbols.DistanceCount; code++)
            bits += (long)frequencies.Distances[code] * (_distanceLengths[code] + DeflateSymbols.DistanceExtraBits[code]);
        return bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long FixedCost(DeflateFrequencies frequencies)
    {
        var bits = (long)HeaderBits;
        for (var i = 0; i < 286; i++)
            bits += (long)frequencies.Literals[i] * (
                FixedLiteralLength(i) + (i > DeflateSymbols.EndOfBlock ? DeflateSymbols.LengthExtraBits[i - 257] : 0));
        for (var code = 0; code < DeflateSymbols.DistanceCount; code++)
            bits += (long)frequencies.Distances[code] * (5 + DeflateSymbols.DistanceExtraBits[code]);
        return bits;
    }

    private static int FixedLiteralLength(int symbol) => symbol switch { < 144 => 8, < 256 => 9, < 280 => 7, _ => 8 };

    private void SetFixedLengths()
    {
        for (var i = 0; i < DeflateSymbols.LiteralCount; i++)
            _literalLengths[i] = (byte)FixedLiteralLength(i);
        _distanceLengths.AsSpan().Fill(5);
    }

    private void WriteStored(ReadOnlySpan<byte> content, bool isLast)
    {
        do
        {
            var length = Math.Min(content.Length, StoredLengthMax);
            output.Write(isLast && length == content.Length ? 1u : 0u, HeaderBits);
            output.WriteBytes([(byte)length, (byte)(length >> 8), (byte)~length, (byte)(~length >> 8)]);
            output.WriteBytes(content[..length]);
            content = content[length..];
        }
        while (!content.IsEmpty);
    }

    private void WriteCodeLengths()
    {
        output.Write((uint)(_literalsSent - 257), 5);
        output.Write((uint)(_distancesSent - 1), 5);
        output.Write((uint)(_codeLengthsSent - 4), 4);
        for (var i = 0; i < _codeLengthsSent; i++)
            output.Write(_codeLengthLengths[CodeLengthOrder[i]], 3);
        DeflateHuffman.BuildCodes(_codeLengthLengths, _codeLengthCodes);
        foreach (var packed in _codeLengths.AsSpan(0, _codeLengthCount))
        {
            var symbol = packed & 0xFF;
            output.Write(_codeLengthCodes[symbol], _codeLengthLengths[symbol]);
            output.Write((uint)(packed >> 8), CodeLengthExtraBits[symbol]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteSymbols(ReadOnlySpan<uint> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol < 256)
            {
                output.Write(_literalCodes[symbol], _literalLengths[symbol]);
                continue;
            }

            var length = (int)(symbol & 511);
            var distance = (int)(symbol >> 9);
            var lengthCode = DeflateSymbols.LengthCode(length);
            var distanceCode = DeflateSymbols.DistanceCode(distance);
            var bits = (ulong)_literalCodes[lengthCode + 257];
            var count = (int)_literalLengths[lengthCode + 257];
            bits |= (ulong)(length - DeflateSymbols.LengthBases[lengthCode]) << count;
            count += DeflateSymbols.LengthExtraBits[lengthCode];
            bits |= (ulong)_distanceCodes[distanceCode] << count;
            count += _distanceLengths[distanceCode];
            bits |= (ulong)(distance - DeflateSymbols.DistanceBases[distanceCode]) << count;
            output.Write(bits, count + DeflateSymbols.DistanceExtraBits[distanceCode]);
        }

        output.Write(_literalCodes[DeflateSymbols.EndOfBlock], _literalLengths[DeflateSymbols.EndOfBlock]);
    }

    /// <summary>Run-length codes the code lengths (section 3.2.7) and makes the code they are sent in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackCodeLengths()
    {
        _literalsSent = Math.Max(257, _literalLengths.AsSpan().LastIndexOfAnyExcept((byte)0) + 1);
        _distancesSent = Math.Max(1, _distanceLengths.AsSpan().LastIndexOfAnyExcept((byte)0) + 1);
        Span<byte> lengths = stackalloc byte[_literalsSent + _distancesSent];
        _literalLengths.AsSpan(0, _literalsSent).CopyTo(lengths);
        _distanceLengths.AsSpan(0, _distancesSent).CopyTo(lengths[_literalsSent..]);

        _codeLengthCount = 0;
        _codeLengthFrequencies.AsSpan().Clear();
        for (var i = 0; i < lengths.Length;)
        {
            var run = lengths[i..].IndexOfAnyExcept(lengths[i]);
            if (run < 0)
                run = lengths.Length - i;
            PackRun(lengths[i], run);
            i += run;
        }

        DeflateHuffman.BuildLengths(_codeLengthFrequencies, _codeLengthLengths, CodeLengthLimit);
        _codeLengthsSent = CodeLengthAlphabet;
        while (_codeLengthsSent > 4 && _codeLengthLengths[CodeLengthOrder[_codeLengthsSent - 1]] == 0)
            _codeLengthsSent--;
    }

    private void PackRun(byte length, int run)
    {
        if (length == 0)
        {
            for (; run >= 11; run -= Math.Min(run, 138))
                Pack(18, Math.Min(run, 138) - 11);
            if (run >= 3)
            {
                Pack(17, run - 3);
                run = 0;
            }
        }
        else if (run >= 4)
        {
            Pack(length, 0);
            for (run--; run >= 3; run -= Math.Min(run, 6))
                Pack(16, Math.Min(run, 6) - 3);
        }

        for (; run > 0; run--)
            Pack(length, 0);
    }

    private void Pack(int symbol, int extra)
    {
        _codeLengths[_codeLengthCount++] = (ushort)(symbol | extra << 8);
        _codeLengthFrequencies[symbol]++;
    }
}
