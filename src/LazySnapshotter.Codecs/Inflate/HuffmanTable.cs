using System.Diagnostics;
using System.Numerics;

namespace LazySnapshotter.Codecs.Inflate;

// Builds the lookup table of one Huffman code of a deflate block (RFC 1951, section 3.2.2). The table is indexed by the
// next bits of the stream, as many as the table is wide; a code that is longer leads to a subtable behind the table,
// indexed by the bits that follow.
//
//    31          30 ........ 16        15          14          13       12   11 .... 8    7 6   5 ......... 0
//   +---------+----------------+-------------+------------+----------+----+------------+-----+---------------+
//   | literal |     value      | exceptional | endOfBlock | invalid  |  0 | codeLength |  0  | bits to drop  |
//   +---------+----------------+-------------+------------+----------+----+------------+-----+---------------+
//
//   literal          value is the byte
//   (no flag)        value is the base of a match length or distance, or a symbol of the code length code; the extra bits
//                    are those between codeLength and "bits to drop", which counts code and extra bits
//   exceptional      with endOfBlock or invalid: what it says; alone: value is where the subtable starts, codeLength
//                    how wide it is, and the bits to drop are those that the main table was indexed with
//
// In a subtable both bit counts leave out the bits of the main table. What the loops rely on: the low byte is a shift
// count by itself, the literal flag is the sign, and one test tells a plain length from everything rare.
internal static class HuffmanTable
{
    public const uint Literal = 1u << 31;
    public const uint Exceptional = 1u << 15;
    public const uint EndOfBlock = Exceptional | 1u << 14;
    public const uint Invalid = Exceptional | 1u << 13;

    public const int CodeLengthMax = 15;

    /// <summary>The most symbols a code has: literals and lengths, with the two that only the fixed code knows.</summary>
    public const int SymbolCountMax = 288;

    /// <summary>A code length is added to "bits to drop" and to "codeLength" at once.</summary>
    private const uint LengthUnit = 0x101;

    /// <summary>Builds a table; false if the lengths do not make a code that zlib would take.</summary>
    /// <param name="lengths">Code length of each symbol, 0 for one that does not occur.</param>
    /// <param name="symbols">Each symbol's entry without its code length.</param>
    /// <param name="mayBeIncomplete">
    /// Whether nothing at all, or one code of one bit, will do. (RFC 1951 has this for distances; zlib takes it for literals too.)
    /// </param>
    public static bool TryBuild(
        ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> symbols, int width, bool mayBeIncomplete, Span<uint> table)
    {
        Debug.Assert(lengths.Length <= SymbolCountMax && lengths.Length <= symbols.Length);
        Span<int> counts = stackalloc int[CodeLengthMax + 1];
        counts.Clear();
        foreach (var length in lengths)
            counts[length]++;
        counts[0] = 0;

        Span<int> places = stackalloc int[CodeLengthMax + 1];
        var total = 0;
        var left = 1;
        var longest = 0;
        for (var length = 1; length <= CodeLengthMax; length++)
        {
            left = left * 2 - counts[length];
            if (left < 0)
                return false;
            places[length] = total;
            total += counts[length];
            if (counts[length] > 0)
                longest = length;
        }

        if (left > 0)
            return mayBeIncomplete && longest <= 1 && BuildIncomplete(lengths, symbols, width, table);

        // Symbols in the order of their codes: by length, then by number.
        Span<ushort> sorted = stackalloc ushort[SymbolCountMax];
        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] != 0)
                sorted[places[lengths[symbol]]++] = (ushort)symbol;
        }

        var (placed, code) = BuildMain(counts, sorted, symbols, width, table);
        if (longest > width)
            BuildSubtables(counts, sorted[placed..total], code, symbols, width, longest, table);
        return true;
    }

    private static bool BuildIncomplete(ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> symbols, int width, Span<uint> table)
    {
        table = table[..(1 << width)];
        table.Fill(Invalid | 1);
        var only = lengths.IndexOf((byte)1);
        for (var i = 0; only >= 0 && i < table.Length; i += 2)
            table[i] = symbols[only] + LengthUnit;
        return true;
    }

    /// <summary>Codes that the table's width holds. Returns how many, and the first code that is longer.</summary>
    private static (int Placed, uint Code) BuildMain(
        ReadOnlySpan<int> counts, ReadOnlySpan<ushort> sorted, ReadOnlySpan<uint> symbols, int width, Span<uint> table)
    {
        var placed = 0;
        var code = 0u; // as it is in the stream: first bit lowest
        var filled = 1;
        for (var length = 1; length <= width; length++)
        {
            // A table of one more bit is the table twice, but for the codes that need the bit.
            table[..filled].CopyTo(table[filled..]);
            filled *= 2;
            for (var i = counts[length]; i > 0; i--)
            {
                table[(int)code] = symbols[sorted[placed++]] + (uint)length * LengthUnit;
                code = Next(code, length);
            }
        }

        return (placed, code);
    }

    private static void BuildSubtables(
        Span<int> counts, ReadOnlySpan<ushort> sorted, uint code, ReadOnlySpan<uint> symbols, int width, int longest, Span<uint> table)
    {
        var mask = (1u << width) - 1;
        var prefix = uint.MaxValue;
        var start = 1 << width;
        var subtableWidth = 0;
        var length = width + 1;
        foreach (var symbol in sorted)
        {
            while (counts[length] == 0)
                length++;

            if ((code & mask) != prefix)
            {
                // As wide as the longest code with this prefix: wide enough when the codes left fill it.
                start += subtableWidth == 0 ? 0 : 1 << subtableWidth;
                prefix = code & mask;
                subtableWidth = length - width;
                for (var left = (1 << subtableWidth) - counts[length]; left > 0; left = left * 2 - counts[width + subtableWidth])
                    subtableWidth++;
                Debug.Assert(width + subtableWidth <= longest);
                table[(int)prefix] = Exceptional | (uint)start << 16 | (uint)subtableWidth << 8 | (uint)width;
            }

            var entry = symbols[symbol] + (uint)(length - width) * LengthUnit;
            var subtable = table.Slice(start, 1 << subtableWidth);
            for (var i = (int)(code >> width); i < subtable.Length; i += 1 << (length - width))
                subtable[i] = entry;
            code = Next(code, length);
            counts[length]--;
        }
    }

    /// <summary>The next code of a length: counting, but the first bit of the stream is the highest bit of the number.</summary>
    private static uint Next(uint code, int length)
    {
        var zeros = ~code & ((1u << length) - 1);
        if (zeros == 0)
            return 0; // that was the last code
        var bit = 1u << BitOperations.Log2(zeros);
        return code & (bit - 1) | bit;
    }
}
