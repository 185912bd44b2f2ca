using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

// One range on its way: its spans, in order, and the means to stop it. What is not immutable is guarded by the fetcher's
// gate.
internal sealed class SpanFetch(List<PendingSpan> spans, ReadUrgency urgency, TimeSpan deadline) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new(deadline);
    private bool _isProlongedByReader;

    /// <summary>Spans that it became a spool for, or that went over to one, come and go.</summary>
    public List<PendingSpan> Spans { get; } = spans;

    public ReadPriority Priority { get; } = new(urgency);

    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Stopped because nobody wants it any more, not because time is up.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>It brings more than it was asked for, and may go on without anybody waiting.</summary>
    public bool IsSpool { get; set; }

    public Task Run { get; set; } = Task.CompletedTask;

    /// <summary>Somebody waits for one of its spans.</summary>
    public bool IsAwaited => Spans.Exists(span => !span.IsOver && span.Waiters > 0);

    /// <summary>A read's span is still missing and nobody waits for anything: the rest is not worth fetching.</summary>
    public bool IsUnwanted => !IsSpool && Spans.Exists(span => span.IsDemanded && !span.IsOver) && !IsAwaited;

    /// <summary>
    /// A reader comes to wait for one of its spans, before it is counted among those who wait: it has the whole time, not what
    /// is left of that of the read-ahead or of another reader. Once while others wait, so that nobody waits more than twice as long.
    /// </summary>
    public void Join()
    {
        if (!IsAwaited)
            _isProlongedByReader = false;
        else if (_isProlongedByReader)
            return;
        else
            _isProlongedByReader = true;
        Prolong();
    }

    /// <summary>It moves, or is waited for anew: its time begins again.</summary>
    public void Prolong()
    {
        if (!_cancellation.IsCancellationRequested)
            _cancellation.CancelAfter(deadline);
    }

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
