namespace LazySnapshotter.Layers.Spans;

// Inflates spans. What that takes beside the span's own bytes (its window) may still be elsewhere: then a read becomes
// asynchronous. Safe to call from many threads.
public interface ISpanDecoder
{
    /// <summary>All it takes to decode the span is here; true for ever once it is true.</summary>
    bool IsReady(SpanId span);

    /// <summary>Gets what it takes to decode the span.</summary>
    /// <exception cref="IOException">It cannot be had; the next call tries again.</exception>
    ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken);

    /// <summary>Inflates a span that is ready. Both buffers have exactly the lengths the span table gives.</summary>
    /// <exception cref="InvalidDataException">The bytes are not what the index promises.</exception>
    void Decode(SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination);
}
