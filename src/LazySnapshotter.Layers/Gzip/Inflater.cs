using System.Runtime.InteropServices;

namespace LazySnapshotter.Layers.Gzip;

// One inflate state of zlib for raw deflate data: owns the native z_stream and everything zlib hangs on it. Not safe
// for concurrent use; every call keeps its pointers to itself, so buffers are pinned only as long as a call runs.
internal sealed unsafe class Inflater : SafeHandle
{
    private const int BoundaryFlag = 128;
    private const int LastBlockFlag = 64;

    public Inflater()
        : base(0, ownsHandle: true)
    {
        // Sound: zeroed memory of the right size is what inflateInit2_ expects (default allocator).
        var stream = (ZStream*)NativeMemory.AllocZeroed((nuint)sizeof(ZStream));
        fixed (byte* version = "1.2.11\0"u8) // only the major version is compared
        {
            var result = Zlib.inflateInit2_(stream, Zlib.RawWindowBits, version, sizeof(ZStream));
            if (result != Zlib.Z_OK)
            {
                NativeMemory.Free(stream);
                throw new InvalidOperationException($"inflateInit2 failed with {result}");
            }
        }

        SetHandle((nint)stream);
    }

    public override bool IsInvalid => handle == 0;

    private ZStream* Stream => (ZStream*)handle;

    /// <summary>zlib's words for what is wrong with the data, after <see cref="InflateState.Corrupt"/>.</summary>
    public string Error => Marshal.PtrToStringUTF8((nint)Stream->msg) ?? "invalid deflate data";

    /// <summary>Starts afresh, with an empty window, at a byte boundary.</summary>
    public void Reset() => Check(Zlib.inflateReset(Stream), "inflateReset");

    /// <summary>Puts bits before the input: what a checkpoint inside a byte has of its first byte.</summary>
    public void Prime(int bits, int value) => Check(Zlib.inflatePrime(Stream, bits, value), "inflatePrime");

    public void SetWindow(ReadOnlySpan<byte> window)
    {
        // Sound: zlib copies the bytes during the call.
        fixed (byte* pointer = window)
            Check(Zlib.inflateSetDictionary(Stream, pointer, (uint)window.Length), "inflateSetDictionary");
    }

    /// <summary>Copies the last (up to) 32 KiB of output since <see cref="Reset"/>; returns how many bytes there were.</summary>
    public int GetWindow(Span<byte> window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window.Length, Zlib.WindowLengthMax);
        uint length = 0;
        // Sound: zlib writes at most its window size, 32 KiB, for which there is room.
        fixed (byte* pointer = window)
            Check(Zlib.inflateGetDictionary(Stream, pointer, &length), "inflateGetDictionary");
        return (int)length;
    }

    /// <summary>Inflates until input or room runs out, the stream ends or, if asked for, a block ends.</summary>
    public InflateStep Inflate(ReadOnlySpan<byte> input, Span<byte> output, bool stopAtBlocks)
    {
        var stream = Stream;
        int result;
        // Sound: the counters zlib gets are the lengths of the pinned buffers; zlib keeps no pointer to either.
        fixed (byte* inputPointer = input)
        fixed (byte* outputPointer = output)
        {
            byte nothing;
            stream->next_in = input.IsEmpty ? &nothing : inputPointer; // zlib refuses null even for zero bytes
            stream->avail_in = (uint)input.Length;
            stream->next_out = output.IsEmpty ? &nothing : outputPointer;
            stream->avail_out = (uint)output.Length;
            result = Zlib.inflate(stream, stopAtBlocks ? Zlib.Z_BLOCK : Zlib.Z_NO_FLUSH);
            stream->next_in = null;
            stream->next_out = null;
        }

        var consumed = input.Length - (int)stream->avail_in;
        var produced = output.Length - (int)stream->avail_out;
        var flags = stream->data_type;
        GC.KeepAlive(this);

        var state = result switch
        {
            Zlib.Z_STREAM_END => InflateState.StreamEnd,
            Zlib.Z_OK when stopAtBlocks && (flags & BoundaryFlag) != 0 && (flags & LastBlockFlag) == 0 => InflateState.BlockBoundary,
            Zlib.Z_OK or Zlib.Z_BUF_ERROR => InflateState.Running, // Z_BUF_ERROR: no progress was possible, not an error
            _ => InflateState.Corrupt,
        };
        return new InflateStep(state, consumed, produced, flags & 7);
    }

    protected override bool ReleaseHandle()
    {
        // Sound: the handle is the z_stream allocated in the constructor; SafeHandle calls this once.
        _ = Zlib.inflateEnd(Stream);
        NativeMemory.Free(Stream);
        return true;
    }

    private void Check(int result, string call)
    {
        GC.KeepAlive(this);
        if (result != Zlib.Z_OK)
            throw new InvalidOperationException($"{call} failed with {result}");
    }
}
