using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Decoding;

// Inflates spans. What that takes beside the span's own bytes (its run's window) may still be elsewhere: then a read becomes
// asynchronous. Safe to call from many threads, each with a history of its own.
public interface ISpanDecoder
{
    /// <summary>All it takes to decode the span, beside what its run has before it, is here; true for ever once it is true.</summary>
    bool IsReady(SpanId span);

    /// <summary>Gets what it takes to decode the span.</summary>
    /// <exception cref="IOException">It cannot be had; the next call tries again.</exception>
    ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken);

    /// <summary>Inflates a span that is ready. Both buffers have exactly the lengths the span table gives.</summary>
    /// <param name="history">If the span is continued: stands before it. Stands behind it afterwards.</param>
    /// <exception cref="InvalidDataException">The bytes are not what the index promises.</exception>
    void Decode(SpanId span, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination);

    /// <summary>Starts a history before a span that is not continued, where what came out of that is known and so long.</summary>
    void Start(SpanId span, SpanHistory history, long uncompressedLength);
}
