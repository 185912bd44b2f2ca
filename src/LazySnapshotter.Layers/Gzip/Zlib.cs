using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Gzip;

// The calls into libz.so.1, named as in zlib.h. Nobody but Inflater and Crc32 uses them. The .NET runtime's own
// zlib-ng would be faster, but exports neither inflatePrime nor inflateSetDictionary, and a checkpoint needs both.
internal static unsafe partial class Zlib
{
    private const string Library = "libz.so.1";

    internal const int Z_BLOCK = 5;
    internal const int Z_NO_FLUSH = 0;

    internal const int Z_OK = 0;
    internal const int Z_STREAM_END = 1;
    internal const int Z_BUF_ERROR = -5;

    /// <summary>Negative window bits: raw deflate, no zlib or gzip framing.</summary>
    internal const int RawWindowBits = -15;

    /// <summary>How far back a deflate match can reach (RFC 1951, section 2).</summary>
    internal const int WindowLengthMax = 32768;

    [LibraryImport(Library)]
    internal static partial int inflateInit2_(ZStream* stream, int windowBits, byte* version, int streamSize);

    [LibraryImport(Library)]
    internal static partial int inflate(ZStream* stream, int flush);

    [LibraryImport(Library)]
    internal static partial int inflateReset(ZStream* stream);

    [LibraryImport(Library)]
    internal static partial int inflatePrime(ZStream* stream, int bits, int value);

    [LibraryImport(Library)]
    internal static partial int inflateSetDictionary(ZStream* stream, byte* dictionary, uint length);

    [LibraryImport(Library)]
    internal static partial int inflateGetDictionary(ZStream* stream, byte* dictionary, uint* length);

    [LibraryImport(Library)]
    internal static partial int inflateEnd(ZStream* stream);

    [LibraryImport(Library)]
    internal static partial nuint crc32(nuint crc, byte* buffer, uint length);
}
