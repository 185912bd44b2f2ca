using System.Buffers;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Gzip;

// Turns a span's compressed bytes into uncompressed ones, starting from the span's checkpoint: bit offset and window.
// The bytes are expected to have been verified against the span's digest; the decoder checks no CRC (a span has
// none) but never reads or writes outside its buffers whatever they are. Safe for concurrent use; owns nothing.
public sealed class SpanDecoder : ISpanDecoder
{
    private const int TrailerLength = 8;

    private readonly LayerIndex _index;

    public SpanDecoder(LayerIndex index) => _index = index;

    /// <inheritdoc/>
    public bool IsReady(SpanId span) => _index.HasWindow(span);

    /// <inheritdoc/>
    public ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken) => _index.FetchWindowAsync(span, cancellationToken);

    /// <summary>Decodes from the start of a span until <paramref name="destination"/> is full.</summary>
    /// <param name="compressed">The span's compressed bytes, from its CompressedOffset on; shorter is fine if it suffices.</param>
    /// <param name="destination">At most as long as the span is uncompressed.</param>
    /// <exception cref="InvalidDataException">The bytes do not decode; the message names span and offsets.</exception>
    public void Decode(SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        var layout = _index.Spans[span];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(compressed.Length, layout.CompressedLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, layout.UncompressedLength);
        if (destination.IsEmpty)
            return;

        if (_index.Compression == LayerCompression.None)
        {
            if (compressed.Length < destination.Length)
                throw Broken(layout, compressed.Length, compressed.Length, "the span is cut short");
            compressed[..destination.Length].CopyTo(destination);
            return;
        }

        var inflater = InflaterPool.Rent();
        try
        {
            Inflate(inflater, layout, compressed, destination);
        }
        finally
        {
            InflaterPool.Return(inflater);
        }
    }

    private void Inflate(Inflater inflater, in LayerSpan layout, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        var consumed = 0;
        var produced = 0;
        var memberStart = 0;
        // A first span that starts with the blob starts with the gzip header, every other one inside deflate data.
        if (_index.Spans.StartBit(layout.Id) == 0)
        {
            consumed = SkipHeader(layout, compressed, 0, 0);
            inflater.Reset();
        }
        else
        {
            inflater.Reset(_index.Spans.BitOffset(layout.Id));
            var window = _index.LoadWindow(layout.Id);
            if (!window.IsEmpty && InflateBehindWindow(inflater, layout, compressed, destination, window.Span, ref consumed, ref produced))
                memberStart = StartMember(inflater, layout, compressed, ref consumed, produced);
        }

        while (produced < destination.Length)
        {
            var step = inflater.Inflate(
                compressed[consumed..], destination[memberStart..], produced - memberStart, destination.Length - memberStart, stopAtBlocks: false);
            consumed += step.Consumed;
            produced += step.Produced;
            if (produced == destination.Length)
                return;
            if (!IsAtStreamEnd(step.State, inflater, layout, consumed, produced))
                throw Broken(layout, consumed, produced, "the span is cut short");
            memberStart = StartMember(inflater, layout, compressed, ref consumed, produced);
        }
    }

    /// <summary>
    /// Inflates the first bytes, which may refer to the window: behind it, in a buffer that has both. After 32 KiB the
    /// history is all in the destination. Returns whether a gzip member has ended.
    /// </summary>
    private static bool InflateBehindWindow(
        Inflater inflater, in LayerSpan layout, ReadOnlySpan<byte> compressed, Span<byte> destination, ReadOnlySpan<byte> window,
        ref int consumed, ref int produced)
    {
        var length = Math.Min(destination.Length, Inflater.WindowLengthMax);
        var limit = window.Length + length;
        var buffer = ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            window.CopyTo(buffer);
            var step = inflater.Inflate(compressed, buffer, window.Length, limit, stopAtBlocks: false);
            consumed = step.Consumed;
            produced = step.Produced;
            buffer.AsSpan(window.Length, produced).CopyTo(destination);
            return produced < length && IsAtStreamEnd(step.State, inflater, layout, consumed, produced);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsAtStreamEnd(InflateState state, Inflater inflater, in LayerSpan layout, int consumed, int produced) =>
        state != InflateState.Corrupt ? state == InflateState.StreamEnd : throw Broken(layout, consumed, produced, inflater.Error);

    private static int StartMember(Inflater inflater, in LayerSpan layout, ReadOnlySpan<byte> compressed, ref int consumed, int produced)
    {
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
        $"span {layout.Id}, compressed offset {layout.CompressedOffset + consumed}, uncompressed offset {layout.UncompressedOffset + produced}: {what}");
}
