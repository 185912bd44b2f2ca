namespace LazySnapshotter.Codecs.Deflate;

// The alphabets of RFC 1951, section 3.2.5 and 3.2.6: which code stands for a match length or a distance, with how
// many extra bits behind it.
internal static class DeflateSymbols
{
    public const int LiteralCount = 288;
    public const int DistanceCount = 30;
    public const int EndOfBlock = 256;
    public const int MatchLengthMin = 3;
    public const int MatchLengthMax = 258;
    public const int DistanceMax = 32768;

    private static readonly byte[] LengthCodes = new byte[MatchLengthMax + 1];
    private static readonly byte[] ShortDistanceCodes = new byte[256];
    private static readonly byte[] LongDistanceCodes = new byte[256];

    static DeflateSymbols()
    {
        for (var code = 0; code < LengthBases.Length; code++)
        {
            var end = code + 1 < LengthBases.Length ? LengthBases[code + 1] : MatchLengthMax + 1;
            for (var length = (int)LengthBases[code]; length < end; length++)
                LengthCodes[length] = (byte)code;
        }

        // Distances up to 256 by themselves, longer ones by their upper bits: all bases from 257 on are 1 modulo 128.
        for (var code = 0; code < DistanceCount; code++)
        {
            var end = code + 1 < DistanceCount ? DistanceBases[code + 1] : DistanceMax + 1;
            for (var distance = (int)DistanceBases[code]; distance < end; distance++)
            {
                if (distance <= 256)
                    ShortDistanceCodes[distance - 1] = (byte)code;
                else
                    LongDistanceCodes[(distance - 1) >> 7] = (byte)code;
            }
        }
    }

    public static ReadOnlySpan<ushort> LengthBases =>
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    public static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    public static ReadOnlySpan<ushort> DistanceBases =>
        [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
            16385, 24577];

    public static ReadOnlySpan<byte> DistanceExtraBits =>
        [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

    /// <summary>0 to 28; the symbol is that plus 257.</summary>
    public static int LengthCode(int length) => LengthCodes[length];

    public static int DistanceCode(int distance) =>
        distance <= 256 ? ShortDistanceCodes[distance - 1] : LongDistanceCodes[(distance - 1) >> 7];
}
