using System.Diagnostics;
using static LazySnapshotter.Codecs.Inflate.HuffmanTable;

namespace LazySnapshotter.Codecs.Inflate;

// What the symbols of deflate's three codes mean (RFC 1951, sections 3.2.5 and 3.2.7), as table entries without their code
// lengths, and the tables of the fixed codes (3.2.6), which every inflater shares.
internal static class DeflateCodes
{
    // Widths measured with real layers: one bit more or less makes no difference.
    public const int LengthWidth = 11;
    public const int DistanceWidth = 8;
    public const int CodeLengthWidth = 7;

    // The most entries that a complete code needs, found by trying all of them (zlib's examples/enough.c: 288 symbols,
    // 11 bits; 32 symbols, 8 bits; the code length code has no code longer than its table is wide).
    public const int LengthTableLength = 2342;
    public const int DistanceTableLength = 402;
    public const int CodeLengthTableLength = 1 << CodeLengthWidth;

    public const int LengthCountMax = 286;
    public const int DistanceCountMax = 30;
    public const int CodeLengthCount = 19;
    public const int MatchLengthMax = 258;
    public const int EndOfBlockSymbol = 256;

    // Symbols of the code length code: 0 to 15 are lengths; these repeat.
    public const int RepeatPrevious = 16;
    public const int RepeatZero = 17;
    public const int RepeatZeroLong = 18;

    public static readonly uint[] Lengths = MakeLengths();
    public static readonly uint[] Distances = MakeDistances();
    public static readonly uint[] CodeLengths = MakeCodeLengths();
    public static readonly uint[] FixedLengthTable = MakeFixedLengthTable();
    public static readonly uint[] FixedDistanceTable = MakeFixedDistanceTable();

    /// <summary>The order in which a block header has the lengths of the code length code.</summary>
    public static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private static uint[] MakeLengths()
    {
        var entries = new uint[SymbolCountMax];
        Array.Fill(entries, Invalid);
        for (var literal = 0; literal < 256; literal++)
            entries[literal] = Literal | (uint)literal << 16;
        entries[EndOfBlockSymbol] = EndOfBlock;

        // 257 to 264: 3 to 10; then four symbols each with 1, 2, 3, 4, 5 extra bits; 285 is 258 by itself.
        var length = 3u;
        for (var symbol = 257; symbol < 285; symbol++)
        {
            var extra = symbol < 261 ? 0 : (symbol - 261) / 4;
            entries[symbol] = length << 16 | (uint)extra;
            length += 1u << extra;
        }

        entries[285] = MatchLengthMax << 16;
        return entries;
    }

    private static uint[] MakeDistances()
    {
        var entries = new uint[32];
        Array.Fill(entries, Invalid);
        var distance = 1u;
        for (var symbol = 0; symbol < DistanceCountMax; symbol++)
        {
            var extra = symbol < 2 ? 0 : symbol / 2 - 1;
            entries[symbol] = distance << 16 | (uint)extra;
            distance += 1u << extra;
        }

        Debug.Assert(distance == Inflater.WindowLengthMax + 1);
        return entries;
    }

    private static uint[] MakeCodeLengths()
    {
        var entries = new uint[CodeLengthCount];
        for (var symbol = 0; symbol < entries.Length; symbol++)
            entries[symbol] = (uint)symbol << 16;
        entries[RepeatPrevious] |= 2;
        entries[RepeatZero] |= 3;
        entries[RepeatZeroLong] |= 7;
        return entries;
    }

    private static uint[] MakeFixedLengthTable()
    {
        var lengths = new byte[SymbolCountMax];
        lengths.AsSpan(0, 144).Fill(8);
        lengths.AsSpan(144, 112).Fill(9);
        lengths.AsSpan(256, 24).Fill(7);
        lengths.AsSpan(280, 8).Fill(8);
        return Make(lengths, Lengths, LengthWidth);
    }

    private static uint[] MakeFixedDistanceTable()
    {
        var lengths = new byte[32];
        lengths.AsSpan().Fill(5);
        return Make(lengths, Distances, DistanceWidth);
    }

    private static uint[] Make(byte[] lengths, uint[] symbols, int width)
    {
        var table = new uint[1 << width];
        var isCode = TryBuild(lengths, symbols, width, mayBeIncomplete: false, table);
        Debug.Assert(isCode);
        return table;
    }
}
