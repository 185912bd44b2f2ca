using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

/// <summary>A span could not be fetched. The message names layer, range and cause; asking again tries again.</summary>
public sealed class SpanFetchException : IOException
{
    internal SpanFetchException(Digest layer, in LayerSpan span, Exception cause)
        : base($"{layer}: span {span.Id} (bytes {span.CompressedOffset} to {span.CompressedEnd - 1}) cannot be fetched: {cause.Message}",
            cause)
    {
        Layer = layer;
        Span = span;
    }

    public Digest Layer { get; }

    public LayerSpan Span { get; }
}
