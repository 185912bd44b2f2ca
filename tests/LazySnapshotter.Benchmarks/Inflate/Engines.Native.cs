using System.Runtime.InteropServices;

namespace LazySnapshotter.Benchmarks.Inflate;

// The decoders in C. Structures are spelled as in zlib.h, pal_zlib.h (.NET's own) and igzip_lib.h.
internal static unsafe partial class Engines
{
    private const string ZlibLibrary = "libz.so.1";
    private const string DotnetLibrary = "libSystem.IO.Compression.Native";
    private const string IsalLibrary = "libisal.so.2";
    private const string LibdeflateLibrary = "libdeflate.so.0";

    private const int RawWindowBits = -15;
    private const int Z_STREAM_END = 1;
    private const int ISAL_BLOCK_FINISH = 5;

    /// <summary>More than sizeof(struct inflate_state), 87,368 in 2.30.</summary>
    private const int IsalStateLength = 256 * 1024;

    // Sound, all of them: input and output do not move (native memory, a pinned array), lengths are theirs.
    public static long Zlib(DeflateInMemory layer)
    {
        ZStream stream = default;
        fixed (byte* version = "1.2.11\0"u8)
            Check(inflateInit2_(&stream, RawWindowBits, version, sizeof(ZStream)));
        stream.next_in = layer.Data;
        stream.avail_in = (uint)layer.Length;
        var result = 0;
        while (result != Z_STREAM_END)
        {
            stream.next_out = OutputPointer;
            stream.avail_out = OutputLength;
            result = inflate(&stream, 0);
            Check(result);
        }

        Check(inflateEnd(&stream));
        return (long)stream.total_out;
    }

    public static long DotnetNative(DeflateInMemory layer)
    {
        DotnetZStream stream = default;
        Check(CompressionNative_InflateInit2_(&stream, RawWindowBits));
        stream.nextIn = layer.Data;
        stream.availIn = (uint)layer.Length;
        var total = 0L;
        var result = 0;
        while (result != Z_STREAM_END)
        {
            stream.nextOut = OutputPointer;
            stream.availOut = OutputLength;
            result = CompressionNative_Inflate(&stream, 0);
            Check(result);
            total += OutputLength - stream.availOut;
        }

        Check(CompressionNative_InflateEnd(&stream));
        return total;
    }

    public static long Isal(DeflateInMemory layer)
    {
        var state = (IsalState*)NativeMemory.AllocZeroed(IsalStateLength);
        isal_inflate_init(state);
        state->next_in = layer.Data;
        state->avail_in = (uint)layer.Length;
        var total = 0L;
        while (state->block_state != ISAL_BLOCK_FINISH)
        {
            state->next_out = OutputPointer;
            state->avail_out = OutputLength;
            Check(isal_inflate(state));
            total += OutputLength - state->avail_out;
        }

        NativeMemory.Free(state);
        return total;
    }

    public static long Libdeflate(DeflateInMemory layer)
    {
        var output = LibdeflateOutput(layer.UncompressedLength);
        var decompressor = libdeflate_alloc_decompressor();
        nuint length;
        Check(
            libdeflate_deflate_decompress(decompressor, layer.Data, (nuint)layer.Length, output, (nuint)layer.UncompressedLength, &length));
        libdeflate_free_decompressor(decompressor);
        return (long)length;
    }

    // Kept from round to round: the first touch of its pages is not libdeflate's work.
    private static byte* _libdeflateOutput;
    private static long _libdeflateOutputLength;

    private static byte* LibdeflateOutput(long length)
    {
        if (_libdeflateOutputLength < length)
        {
            NativeMemory.Free(_libdeflateOutput);
            _libdeflateOutput = (byte*)NativeMemory.Alloc((nuint)length);
            _libdeflateOutputLength = length;
        }

        return _libdeflateOutput;
    }

    private static byte* OutputPointer => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(Output, 0);

    private static void Check(int result)
    {
        if (result is not (0 or Z_STREAM_END))
            throw new InvalidDataException($"a decoder in C failed with {result}");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ZStream
    {
        public byte* next_in;
        public uint avail_in;
        public nuint total_in;
        public byte* next_out;
        public uint avail_out;
        public nuint total_out;
        public byte* msg;
        public void* state;
        public void* zalloc;
        public void* zfree;
        public void* opaque;
        public int data_type;
        public nuint adler;
        public nuint reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct DotnetZStream
    {
        public byte* nextIn;
        public byte* nextOut;
        public byte* msg;
        public void* internalState;
        public uint availIn;
        public uint availOut;
    }

    /// <summary>The public front of struct inflate_state.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IsalState
    {
        public byte* next_out;
        public uint avail_out;
        public uint total_out;
        public byte* next_in;
        public ulong read_in;
        public uint avail_in;
        public int read_in_length;
        public fixed byte huffman_tables[IsalLengthTable + IsalDistanceTable];
        public int block_state;
    }

    // struct inflate_huff_code_large: 2^12 words and 1264 half words; _small: 2^10 and 80 half words.
    private const int IsalLengthTable = 4096 * 4 + 1264 * 2;
    private const int IsalDistanceTable = 1024 * 2 + 80 * 2;

    [LibraryImport(ZlibLibrary)]
    private static partial int inflateInit2_(ZStream* stream, int windowBits, byte* version, int streamSize);

    [LibraryImport(ZlibLibrary)]
    private static partial int inflate(ZStream* stream, int flush);

    [LibraryImport(ZlibLibrary)]
    private static partial int inflateEnd(ZStream* stream);

    [LibraryImport(DotnetLibrary)]
    private static partial int CompressionNative_InflateInit2_(DotnetZStream* stream, int windowBits);

    [LibraryImport(DotnetLibrary)]
    private static partial int CompressionNative_Inflate(DotnetZStream* stream, int flush);

    [LibraryImport(DotnetLibrary)]
    private static partial int CompressionNative_InflateEnd(DotnetZStream* stream);

    [LibraryImport(IsalLibrary)]
    private static partial void isal_inflate_init(IsalState* state);

    [LibraryImport(IsalLibrary)]
    private static partial int isal_inflate(IsalState* state);

    [LibraryImport(LibdeflateLibrary)]
    private static partial void* libdeflate_alloc_decompressor();

    [LibraryImport(LibdeflateLibrary)]
    private static partial int libdeflate_deflate_decompress(
        void* decompressor, byte* input, nuint inputLength, byte* output, nuint outputLength, nuint* actualLength);

    [LibraryImport(LibdeflateLibrary)]
    private static partial void libdeflate_free_decompressor(void* decompressor);
}
