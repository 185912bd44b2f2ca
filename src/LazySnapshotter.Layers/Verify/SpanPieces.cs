using System.Buffers;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Verify;

/// <summary>One span as the blob has it: its compressed bytes, and the bytes a straight pass makes of them.</summary>
internal sealed record SpanPiece(LayerSpan Span, byte[] Compressed, byte[] Uncompressed)
{
    public ReadOnlySpan<byte> CompressedBytes => Compressed.AsSpan(0, (int)Span.CompressedLength);

    public ReadOnlySpan<byte> UncompressedBytes => Uncompressed.AsSpan(0, (int)Span.UncompressedLength);

    public void Return()
    {
        ArrayPool<byte>.Shared.Return(Compressed);
        ArrayPool<byte>.Shared.Return(Uncompressed);
    }
}

// Cuts the two streams of a sequential pass, compressed and uncompressed, at the borders an index says, and hands out each
// span when both halves are whole. In a sound index both reach a border within a buffer's length; where they drift
// apart, what waits for its other half would grow, and is given up.
internal sealed class SpanPieces(SpanTable spans, Action<SpanPiece> complete) : IDisposable
{
    /// <summary>What may wait beside the two spans at hand.</summary>
    private const long WaitingBytesMax = 64 << 20;

    private readonly Half _compressed = new(spans, isCompressed: true);
    private readonly Half _uncompressed = new(spans, isCompressed: false);
    private int _next;

    /// <summary>The span at which the halves drifted apart; null while they do not.</summary>
    public LayerSpan? LostAt { get; private set; }

    public int CompletedCount => _next;

    public void AppendCompressed(ReadOnlySpan<byte> bytes) => Append(_compressed, bytes);

    public void AppendUncompressed(ReadOnlySpan<byte> bytes) => Append(_uncompressed, bytes);

    public void Dispose()
    {
        _compressed.Clear();
        _uncompressed.Clear();
    }

    private void Append(Half half, ReadOnlySpan<byte> bytes)
    {
        if (LostAt is not null)
            return;
        half.Append(bytes);
        while (_compressed.Whole.Count > 0 && _uncompressed.Whole.Count > 0)
            complete(new SpanPiece(spans[new SpanId(_next++)], _compressed.Take(), _uncompressed.Take()));
        if (half.WaitingBytes <= WaitingBytesMax)
            return;

        LostAt = spans[new SpanId(_next)];
        Dispose();
    }

    private sealed class Half(SpanTable spans, bool isCompressed)
    {
        private readonly Queue<byte[]> _whole = new();
        private int _span;
        private byte[]? _buffer;
        private int _filled;
        private long _offset;

        public Queue<byte[]> Whole => _whole;

        public long WaitingBytes { get; private set; }

        public byte[] Take()
        {
            var bytes = _whole.Dequeue();
            WaitingBytes -= bytes.Length;
            return bytes;
        }

        public void Clear()
        {
            if (_buffer is not null)
                ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
            while (_whole.TryDequeue(out var bytes))
                ArrayPool<byte>.Shared.Return(bytes);
            WaitingBytes = 0;
            _span = spans.Count;
        }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            while (_span < spans.Count)
            {
                var (start, length) = Extent(_span);
                var skipped = (int)Math.Clamp(start - _offset, 0, bytes.Length);
                bytes = Pass(bytes, skipped);
                if (_offset < start && _filled == 0)
                    return;

                _buffer ??= ArrayPool<byte>.Shared.Rent((int)Math.Max(1, length));
                var taken = (int)Math.Min(bytes.Length, length - _filled);
                bytes[..taken].CopyTo(_buffer.AsSpan(_filled));
                _filled += taken;
                bytes = Pass(bytes, taken);
                if (_filled < length)
                    return;
                EndSpan(start + length);
            }

            _offset += bytes.Length;
        }

        // The byte on a border belongs to both spans.
        private void EndSpan(long end)
        {
            var whole = _buffer!;
            _whole.Enqueue(whole);
            WaitingBytes += whole.Length;
            var last = _filled > 0 ? whole[_filled - 1] : (byte)0;
            _buffer = null;
            _filled = 0;
            if (++_span == spans.Count)
                return;

            var (start, length) = Extent(_span);
            if (start >= end)
                return;
            _buffer = ArrayPool<byte>.Shared.Rent((int)length);
            _buffer[0] = last;
            _filled = 1;
        }

        private (long Start, long Length) Extent(int span)
        {
            var found = spans[new SpanId(span)];
            return isCompressed ? (found.CompressedOffset, found.CompressedLength) : (found.UncompressedOffset, found.UncompressedLength);
        }

        private ReadOnlySpan<byte> Pass(ReadOnlySpan<byte> bytes, int count)
        {
            _offset += count;
            return bytes[count..];
        }
    }
}
