namespace LazySnapshotter.Layers.Store;

// One range on its way: its spans, in order, and the means to stop it. IsAbandoned is guarded by the fetcher's gate.
internal sealed class SpanFetch(SpanRange range, List<PendingSpan> spans, TimeSpan deadline) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new(deadline);

    public SpanRange Range { get; } = range;

    public List<PendingSpan> Spans { get; } = spans;

    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Stopped because nobody wants it any more, not because time is up.</summary>
    public bool IsAbandoned { get; set; }

    public Task Run { get; set; } = Task.CompletedTask;

    /// <summary>A read's span is still missing and nobody waits for anything: the rest is not worth fetching.</summary>
    public bool IsUnwanted => Spans.Exists(span => span.IsDemanded && !span.IsOver) && Spans.TrueForAll(span => span.IsOver || span.Waiters == 0);

    public void Cancel()
    {
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Just finished.
        }
    }

    public void Dispose() => _cancellation.Dispose();
}
