using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Artifacts;

/// <summary>Spans an index says will be wanted first, both ends included.</summary>
public readonly record struct SpanRangeToWarm(SpanId First, SpanId Last);
