using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// A fetch whose source gave more than it was asked for (a registry that ignores Range sends the whole blob): everything
// that passes is taken, span by span, and where it has come to is the *frontier*. Who wants a span ahead of the frontier
// waits for it instead of asking again; what is behind it is here. Guarded by the fetcher's gate.
internal sealed class SpanSpool(SpanFetch fetch, int frontier, long endExclusive)
{
    private long _unwantedBytes;

    /// <summary>Those who wait are among its spans; it grows while it runs.</summary>
    public SpanFetch Fetch { get; } = fetch;

    /// <summary>The next span to pass.</summary>
    public int Frontier { get; private set; } = frontier;

    /// <summary>Where in the blob the body ends.</summary>
    public long EndExclusive { get; } = endExclusive;

    /// <summary>Bytes that passed since anybody waited for one; 0 as soon as somebody waits, though nothing has passed since.</summary>
    public long UnwantedBytes => Fetch.IsAwaited ? 0 : _unwantedBytes;

    public bool Brings(in LayerSpan span) => span.Id.Value >= Frontier && span.CompressedEnd <= EndExclusive;

    /// <summary>Has somebody wait for a span ahead.</summary>
    public void Attach(PendingSpan span)
    {
        span.Fetch = Fetch;
        Fetch.Spans.Add(span);
    }

    /// <param name="good">The span is stored, or handed to those who wait.</param>
    public void Passed(in LayerSpan span, bool good, PendingSpan? pending)
    {
        Frontier = span.Id.Value + 1;
        if (good && pending is not null)
            Fetch.Spans.Remove(pending);
        _unwantedBytes = Fetch.IsAwaited ? 0 : _unwantedBytes + span.CompressedLength;
    }
}
