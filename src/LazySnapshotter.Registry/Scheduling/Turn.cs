using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Scheduling;

// One request's turn at a host, from the moment it queues to the end of its answer. States: waiting, held, over.
//   waiting -> held   the queue lets it go (HostQueue.Pump)
//   waiting -> over   whoever waits gives up; nothing is left behind
//   held -> over      disposed of; the next one goes. Once: further disposals do nothing
// States change under the queue's lock.
internal sealed class Turn : IDisposable
{
    private readonly HostQueue _queue;
    private IDisposable? _raises;

    public Turn(HostQueue queue, TurnRequest request)
    {
        _queue = queue;
        Request = request;
    }

    internal enum TurnState
    {
        Waiting,
        Held,
        Over,
    }

    public TurnRequest Request { get; }

    /// <summary>Now; it may have changed since it queued.</summary>
    public ReadUrgency Urgency => Request.Priority.Urgency;

    /// <summary>Somebody waits for it or for what hangs on it: such requests have places that others do not get.</summary>
    public bool IsForeground => Urgency <= ReadUrgency.Metadata;

    public TurnState State { get; internal set; }

    public bool IsHeld => State == TurnState.Held;

    /// <summary>Counts the turns of a host in the order they began; 0 before.</summary>
    public long Number { get; internal set; }

    /// <summary>How often somebody younger went while this one could have gone and waited longest.</summary>
    public int PassedOver { get; internal set; }

    /// <summary>Completed when it is no longer waiting. Null where it never was.</summary>
    public TaskCompletionSource? Decided { get; internal set; }

    public TimeSpan Waited { get; internal set; }

    public void Dispose() => _queue.Leave(this);

    // Also while it is held: a place that becomes foreground makes room for background, and the other way round.
    internal void FollowPriority() => _raises = Request.Priority.OnRaised(_queue.Repump);

    internal void UnfollowPriority() => Interlocked.Exchange(ref _raises, null)?.Dispose();
}
