namespace LazySnapshotter.Layers.Spans;

/// <summary>Inflates one span. Both buffers have exactly the lengths the span table gives; safe to call from many threads.</summary>
/// <exception cref="InvalidDataException">The bytes are not what the index promises.</exception>
public delegate void SpanDecode(SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination);
