using System.Buffers;
using System.Runtime.CompilerServices;

namespace LazySnapshotter.Codecs.Inflate;

// The decoding of WindowMarker: the same loop, which notes every match that starts in the window.
internal sealed unsafe partial class Inflater
{
    private ulong[]? _referenced;
    private int _windowLength;

    internal bool MarkReferences(ReadOnlySpan<byte> compressed, int bitOffset, ReadOnlySpan<byte> window, Span<ulong> referenced)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window.Length, WindowLengthMax);
        ArgumentOutOfRangeException.ThrowIfNotEqual(referenced.Length, WindowMarker.WordCount);
        var output = ArrayPool<byte>.Shared.Rent(2 * WindowLengthMax);
        try
        {
            window.CopyTo(output);
            _referenced ??= new ulong[WindowMarker.WordCount];
            referenced.CopyTo(_referenced);
            _windowLength = window.Length;
            _tracking = Tracking.References;
            Reset(bitOffset);
            var limit = window.Length + WindowLengthMax;
            var step = Inflate(compressed, output, window.Length, limit, stopAtBlocks: false);
            _referenced.CopyTo(referenced);
            return step.Produced == WindowLengthMax || step.State == InflateState.StreamEnd;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MarkReferences(ref Cursor cursor, byte* source, int length)
    {
        var start = (int)(source - cursor.Buffer);
        var end = Math.Min(start + length, _windowLength);
        while (start < end)
        {
            var next = Math.Min(end, (start | 63) + 1);
            _referenced![start >> 6] |= ulong.MaxValue >> (64 - (next - start)) << (start & 63);
            start = next;
        }
    }
}
