using System.Runtime.InteropServices;

namespace LazySnapshotter.TestSupport.Deflate;

/// <summary>How zlib-ng's decoding ended.</summary>
public enum ZlibNgEnd
{
    StreamEnd,
    NeedInput,
    OutputFull,
    Corrupt,
}

/// <param name="Consumed">Of value at the stream's end only.</param>
public sealed record ZlibNgResult(ZlibNgEnd End, byte[] Output, int Consumed);

// The zlib-ng that comes with .NET, called directly (DeflateStream hides where and how a stream ends): raw deflate data,
// decoded by code that shares nothing with ours.
public static unsafe partial class ZlibNg
{
    private const string Library = "libSystem.IO.Compression.Native";
    private const int RawWindowBits = -15;
    private const int Z_OK = 0;
    private const int Z_STREAM_END = 1;
    private const int Z_DATA_ERROR = -3;
    private const int Z_BUF_ERROR = -5;

    public static ZlibNgResult Inflate(ReadOnlySpan<byte> deflated, int outputMax)
    {
        var output = new byte[outputMax];
        byte nothing;
        ZStream stream = default;
        Check(CompressionNative_InflateInit2_(&stream, RawWindowBits));
        // Sound: both are pinned during the call, and the lengths are theirs.
        fixed (byte* inputPointer = deflated)
        fixed (byte* outputPointer = output)
        {
            stream.nextIn = inputPointer == null ? &nothing : inputPointer;
            stream.availIn = (uint)deflated.Length;
            stream.nextOut = outputPointer == null ? &nothing : outputPointer;
            stream.availOut = (uint)outputMax;
            var end = CompressionNative_Inflate(&stream, 0) switch
            {
                Z_STREAM_END => ZlibNgEnd.StreamEnd,
                Z_DATA_ERROR => ZlibNgEnd.Corrupt,
                Z_OK or Z_BUF_ERROR => stream.availOut == 0 ? ZlibNgEnd.OutputFull : ZlibNgEnd.NeedInput,
                var other => throw new InvalidOperationException($"inflate returned {other}"),
            };
            Check(CompressionNative_InflateEnd(&stream));
            return new ZlibNgResult(end, output[..(outputMax - (int)stream.availOut)], deflated.Length - (int)stream.availIn);
        }
    }

    /// <summary>
    /// Decodes from a block boundary inside a stream, which zlib-ng as .NET exports it cannot do: behind a stream made up of
    /// the window (a stored block) and as many empty blocks as it takes to get to the boundary's bit of a byte.
    /// </summary>
    public static ZlibNgResult InflateFrom(ReadOnlySpan<byte> deflated, int bitOffset, ReadOnlySpan<byte> window, int outputMax)
    {
        var prefix = new DeflateBits();
        prefix.Stored(window, isLast: false);
        if ((bitOffset & 1) != 0)
            prefix.EmptyDynamic();
        while (prefix.BitOffset != bitOffset)
            prefix.EmptyFixed();
        byte[] joined = [.. prefix.ToArray(), .. bitOffset == 0 ? deflated : deflated[1..]];
        if (bitOffset != 0)
            joined[prefix.Length / 8] |= (byte)(deflated[0] & (0xFF << bitOffset));
        var result = Inflate(joined, window.Length + outputMax);
        return result with { Output = result.Output[Math.Min(window.Length, result.Output.Length)..] };
    }

    private static void Check(int result)
    {
        if (result != Z_OK)
            throw new InvalidOperationException($"zlib-ng failed with {result}");
    }

    /// <summary>PAL_ZStream of the runtime's pal_zlib.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ZStream
    {
        public byte* nextIn;
        public byte* nextOut;
        public byte* msg;
        public void* internalState;
        public uint availIn;
        public uint availOut;
    }

    [LibraryImport(Library)]
    private static partial int CompressionNative_InflateInit2_(ZStream* stream, int windowBits);

    [LibraryImport(Library)]
    private static partial int CompressionNative_Inflate(ZStream* stream, int flush);

    [LibraryImport(Library)]
    private static partial int CompressionNative_InflateEnd(ZStream* stream);
}
