using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// What one read waits for. Disposing it says that the read waits no longer: spans nobody waits for are given up.
internal sealed class SpanDemand(SpanFetcher fetcher) : IDisposable
{
    private int _next;

    /// <summary>In rising order.</summary>
    internal List<PendingSpan> Pending { get; } = [];

    /// <summary>
    /// Waits until a demanded span is stored; returns its verified bytes if the disk did not take them, otherwise null.
    /// At once for a span that was here when the demand was made. To be asked in rising order.
    /// </summary>
    /// <exception cref="SpanFetchException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The reader waits no longer, or the layer was closed.</exception>
    public async ValueTask<byte[]?> WaitAsync(SpanId span, CancellationToken cancellationToken)
    {
        while (_next < Pending.Count && Pending[_next].Span.Id.Value < span.Value)
            _next++;
        return _next < Pending.Count && Pending[_next].Span.Id == span ? await Pending[_next].Arrival.WaitAsync(cancellationToken) : null;
    }

    public void Dispose() => fetcher.Detach(this);
}
