namespace LazySnapshotter.Oci;

// How soon one read is wanted, while it is on its way: what began as read-ahead is raised in place when somebody comes to
// wait for it, wherever it is queued at that moment. Lowered only by the reader itself, when what others waited for has come and the rest
// of the body is no hurry (Settle). One read has one ReadPriority, several requests it may need share it. Listeners run on
// the thread that changes it, outside the lock; they must be quick and must not throw.
public sealed class ReadPriority(ReadUrgency urgency)
{
    private readonly Lock _gate = new();
    private readonly List<Listener> _listeners = [];
    private ReadUrgency _urgency = urgency;

    public ReadUrgency Urgency
    {
        get
        {
            lock (_gate)
                return _urgency;
        }
    }

    public static ReadPriority Demanded() => new(ReadUrgency.Demanded);

    public static ReadPriority Metadata() => new(ReadUrgency.Metadata);

    public static ReadPriority Predicted() => new(ReadUrgency.Predicted);

    public static ReadPriority Background() => new(ReadUrgency.Background);

    /// <summary>Makes it more urgent; nothing happens if it is as urgent already.</summary>
    public void RaiseTo(ReadUrgency urgency) => Change(urgency, mayLower: false);

    /// <summary>Nobody waits for the rest of what it brings: it makes room for what is waited for.</summary>
    public void Settle(ReadUrgency urgency) => Change(urgency, mayLower: true);

    /// <summary>
    /// Calls back each time it is raised or settles, until disposed of; a call that has begun may end after that. What it was
    /// before is not told: look at <see cref="Urgency"/> after registering.
    /// </summary>
    public IDisposable OnRaised(Action changed)
    {
        var listener = new Listener(this, changed);
        lock (_gate)
            _listeners.Add(listener);
        return listener;
    }

    public override string ToString() => Urgency.ToString();

    private void Change(ReadUrgency urgency, bool mayLower)
    {
        Listener[] listeners;
        lock (_gate)
        {
            if (mayLower ? urgency == _urgency : urgency >= _urgency)
                return;
            _urgency = urgency;
            listeners = [.. _listeners];
        }

        foreach (var listener in listeners)
            listener.Changed();
    }

    private sealed class Listener(ReadPriority priority, Action changed) : IDisposable
    {
        public Action Changed { get; } = changed;

        public void Dispose()
        {
            lock (priority._gate)
                priority._listeners.Remove(this);
        }
    }
}
