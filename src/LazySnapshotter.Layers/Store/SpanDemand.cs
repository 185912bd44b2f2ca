using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Store;

// What one read waits for. Disposing it says that the read waits no longer: spans nobody waits for are given up.
internal sealed class SpanDemand(SpanFetcher fetcher) : IDisposable
{
    private readonly List<PendingSpan> _pending = [];

    internal List<PendingSpan> Pending => _pending;

    /// <summary>
    /// Waits until a demanded span is stored; returns its verified bytes if the disk did not take them, otherwise null.
    /// At once for a span that was here when the demand was made.
    /// </summary>
    /// <exception cref="SpanFetchException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The reader waits no longer, or the layer was closed.</exception>
    public async ValueTask<byte[]?> WaitAsync(SpanId span, CancellationToken cancellationToken)
    {
        foreach (var pending in _pending)
        {
            if (pending.Span.Id == span)
                return await pending.Arrival.WaitAsync(cancellationToken);
        }

        return null;
    }

    public void Dispose() => fetcher.Detach(this);
}
