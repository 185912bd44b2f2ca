using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Tests.Gzip;

internal static class SpanDecoding
{
    /// <summary>Decodes a span that is not continued.</summary>
    public static void Decode(this SpanDecoder decoder, SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        using var history = SpanHistory.Rent();
        decoder.Decode(span, history, compressed, destination);
    }
}
