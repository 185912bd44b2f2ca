using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// A span that is on its way, and everybody who waits for it. Apart from Arrival, fields are guarded by the fetcher's gate.
internal sealed class PendingSpan(LayerSpan span, bool isDemanded)
{
    private readonly TaskCompletionSource<byte[]?> _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LayerSpan Span { get; } = span;

    /// <summary>Somebody's read asked for the request that brings it; otherwise it is read-ahead.</summary>
    public bool IsDemanded { get; } = isDemanded;

    public int Waiters { get; set; } = isDemanded ? 1 : 0;

    /// <summary>Arrived, failed or given up: not in the fetcher's table any more.</summary>
    public bool IsOver { get; set; }

    public SpanFetch Fetch { get; set; } = null!;

    /// <summary>Completes when the span is over: null if it is stored, its verified bytes if the disk would not take them.</summary>
    public Task<byte[]?> Arrival => _arrival.Task;

    public void Arrive(byte[]? unstored) => _arrival.TrySetResult(unstored);

    public void Fail(Exception cause)
    {
        _arrival.TrySetException(cause);
        _ = _arrival.Task.Exception; // observed: perhaps nobody waits
    }

    public void GiveUp() => _arrival.TrySetCanceled();
}
