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
        inflater.Reset();
        // A first span that starts with the blob starts with the gzip header, every other one inside deflate data.
        var consumed = _index.Spans.StartBit(layout.Id) == 0
            ? SkipHeader(layout, compressed, 0, 0)
            : Seed(inflater, layout, compressed);
        var produced = 0;
        while (true)
        {
            var step = inflater.Inflate(compressed[consumed..], destination[produced..], stopAtBlocks: false);
            consumed += step.Consumed;
            produced += step.Produced;
            if (step.State == InflateState.Corrupt)
                throw Broken(layout, consumed, produced, inflater.Error);
            if (produced == destination.Length)
                return;
            if (step.State == InflateState.StreamEnd)
            {
                consumed = SkipHeader(layout, compressed, consumed + TrailerLength, produced);
                inflater.Reset();
            }
            else if (consumed == compressed.Length)
            {
                throw Broken(layout, consumed, produced, "the span is cut short");
            }
        }
    }

    private int Seed(Inflater inflater, in LayerSpan layout, ReadOnlySpan<byte> compressed)
    {
        var bitOffset = _index.Spans.BitOffset(layout.Id);
        if (bitOffset > 0)
        {
            if (compressed.IsEmpty)
                throw Broken(layout, 0, 0, "the span is cut short");
            inflater.Prime(8 - bitOffset, compressed[0] >> bitOffset);
        }

        var window = _index.LoadWindow(layout.Id);
        if (!window.IsEmpty)
            inflater.SetWindow(window.Span);
        return bitOffset > 0 ? 1 : 0;
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
