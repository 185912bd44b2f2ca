using System.Buffers;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Decoding;

// Turns a span's compressed bytes into uncompressed ones, starting from the span's checkpoint, bit offset and window, or,
// where it goes on from the span before, behind what came out of that. The bytes are expected to have been verified against
// the span's digest; the decoder checks no CRC (a span has none) but never reads or writes outside its buffers whatever they
// are. Safe for concurrent use; owns nothing.
public sealed class SpanDecoder : ISpanDecoder
{
    private const int TrailerLength = 8;

    private readonly LayerIndex _index;

    public SpanDecoder(LayerIndex index) => _index = index;

    /// <inheritdoc/>
    public bool IsReady(SpanId span) => _index.HasWindow(_index.Spans.RunStart(span));

    /// <inheritdoc/>
    public ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken) =>
        _index.FetchWindowAsync(_index.Spans.RunStart(span), cancellationToken);

    /// <summary>Decodes from the start of a span until <paramref name="destination"/> is full.</summary>
    /// <param name="history">If the span is continued: stands before it. Stands behind it afterwards, if all of it was decoded.</param>
    /// <param name="compressed">The span's compressed bytes, from its CompressedOffset on; shorter is fine if it suffices.</param>
    /// <param name="destination">At most as long as the span is uncompressed.</param>
    /// <exception cref="InvalidDataException">The bytes do not decode; the message names span and offsets.</exception>
    public void Decode(SpanId span, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        var layout = _index.Spans[span];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(compressed.Length, layout.CompressedLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, layout.UncompressedLength);
        if (!_index.Spans.IsContinued(span))
            history.Start(span, _index.LoadWindow(span).Span);
        else if (history.Next != span || history.Block is null)
            throw new ArgumentException(
                $"span {span} is continued, and the history is that of span {history.Next?.ToString() ?? "none"}", nameof(history));

        var block = Decode(layout, history, compressed, destination);
        if (destination.Length == layout.UncompressedLength)
            history.Pass(destination, block);
        else
            history.Clear();
    }

    /// <inheritdoc/>
    public void Start(SpanId span, SpanHistory history, long uncompressedLength) =>
        history.Start(span, uncompressedLength < SpanHistory.LengthMax ? _index.LoadWindow(span).Span : []);

    private DeflateBlock? Decode(in LayerSpan layout, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        if (destination.IsEmpty)
            return null;
        if (_index.Compression == LayerCompression.None)
        {
            if (compressed.Length < destination.Length)
                throw Broken(layout, compressed.Length, compressed.Length, "the span is cut short");
            compressed[..destination.Length].CopyTo(destination);
            return null;
        }

        var inflater = InflaterPool.Rent();
        try
        {
            return Inflate(inflater, layout, history, compressed, destination);
        }
        finally
        {
            InflaterPool.Return(inflater);
        }
    }

    private DeflateBlock? Inflate(
        Inflater inflater, in LayerSpan layout, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        var pausesAtEnd = destination.Length == layout.UncompressedLength && _index.Spans.IsContinuedBehind(layout.Id);
        var consumed = 0;
        var produced = 0;
        var memberStart = 0;
        var step = default(InflateStep);
        // A first span that starts with the blob starts with the gzip header, every other one inside deflate data.
        if (_index.Spans.StartBit(layout.Id) == 0)
        {
            consumed = SkipHeader(layout, compressed, 0, 0);
            inflater.Reset();
        }
        else
        {
            var bitOffset = _index.Spans.BitOffset(layout.Id);
            if (history.Block is { } block)
                inflater.Resume(block, bitOffset);
            else
                inflater.Reset(bitOffset);
            if (!history.Bytes.IsEmpty)
            {
                step = InflateBehindWindow(inflater, compressed, destination, history.Bytes, pausesAtEnd);
                (consumed, produced) = (step.Consumed, step.Produced);
                if (produced < Math.Min(destination.Length, Inflater.WindowLengthMax))
                    memberStart = StartMember(step, inflater, layout, compressed, ref consumed, produced);
            }
        }

        while (produced < destination.Length)
        {
            var limit = destination.Length - memberStart;
            step = inflater.Inflate(
                compressed[consumed..], destination[memberStart..], produced - memberStart, limit, stopAtBlocks: false, pausesAtEnd
                    ? limit
                    : int.MaxValue);
            consumed += step.Consumed;
            produced += step.Produced;
            if (produced < destination.Length)
                memberStart = StartMember(step, inflater, layout, compressed, ref consumed, produced);
        }

        if (!pausesAtEnd)
            return null;
        var end = (layout.CompressedOffset + consumed) * 8 - step.UnusedBits;
        if (step.State != InflateState.Paused || end != _index.Spans.StartBit(new SpanId(layout.Id.Value + 1)))
            throw Broken(layout, consumed, produced, "the next span does not go on where this one ends");
        return inflater.SaveBlock();
    }

    /// <summary>
    /// Inflates the first bytes, which may refer to the window: behind it, in a buffer that has both. After 32 KiB the
    /// history is all in the destination.
    /// </summary>
    private static InflateStep InflateBehindWindow(
        Inflater inflater, ReadOnlySpan<byte> compressed, Span<byte> destination, ReadOnlySpan<byte> window, bool pausesAtEnd)
    {
        var limit = window.Length + Math.Min(destination.Length, Inflater.WindowLengthMax);
        var buffer = ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            window.CopyTo(buffer);
            var pauseAt = pausesAtEnd ? window.Length + destination.Length : int.MaxValue;
            var step = inflater.Inflate(compressed, buffer, window.Length, limit, stopAtBlocks: false, pauseAt);
            buffer.AsSpan(window.Length, step.Produced).CopyTo(destination);
            return step;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Inflating has stopped before its time: the next member, if the one before has ended.</summary>
    private static int StartMember(
        in InflateStep step, Inflater inflater, in LayerSpan layout, ReadOnlySpan<byte> compressed, ref int consumed, int produced)
    {
        if (step.State != InflateState.StreamEnd)
            throw Broken(layout, consumed, produced, step.State == InflateState.Corrupt ? inflater.Error : "the span is cut short");
        consumed = SkipHeader(layout, compressed, consumed + TrailerLength, produced);
        inflater.Reset();
        return produced;
    }

    private static int SkipHeader(in LayerSpan layout, ReadOnlySpan<byte> compressed, int position, int produced)
    {
        if (position > compressed.Length)
            throw Broken(layout, compressed.Length, produced, "the span is cut short");

        var header = default(GzipHeader);
        position += header.Append(compressed[position..], out var error);
        if (error is not null)
            throw Broken(layout, position, produced, error);
        if (!header.IsComplete)
            throw Broken(layout, position, produced, "the span is cut short");
        return position;
    }

    private static InvalidDataException Broken(in LayerSpan layout, int consumed, int produced, string what) => new(
        $"span {layout.Id}, compressed offset {layout.CompressedOffset + consumed}, uncompressed " +
            $"offset {layout.UncompressedOffset + produced}: {what}");
}
