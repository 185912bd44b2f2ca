namespace LazySnapshotter.Registry.Common;

// Somebody waits to be told whether registries will give something, and can do without it: containerd in Prepare, which
// fetches a layer itself as soon as it is told that we do not. What is asked inside of RunAsync (whoever else it is asked for)
// is not waited for as a container's read is:
// - the head of an answer is waited for as long as RegistryOptions.DecisionBudget, three times as long at a host that has
//   answered lately; so is a byte of a body;
// - a host that gives no answer (HostOutage) is asked by one, and not again for RegistryOptions.DecisionMemory;
// - an answer that may be another one in a moment (429, 5xx, a connection that broke) is asked for once more, nothing else is.
// One per image: its layers share what was heard. Ambient, like TurnGroup: tokens and manifests are learned for many at once.
public sealed class Decision
{
    private static readonly AsyncLocal<Decision?> Ambient = new();

    private readonly TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<(string Host, int Status)> _troubles = [];
    private int _open;
    private long _heardAt;

    /// <summary>The one the caller works for; null where nobody waits for one.</summary>
    public static Decision? Current => Ambient.Value is { } decision && Volatile.Read(ref decision._open) > 0 ? decision : null;

    public static bool IsPending => Current is not null;

    /// <summary>Completes when a registry has given something of the image: more than an error, a challenge or a token.</summary>
    public Task Given => _given.Task;

    /// <summary>When something last came, by <see cref="TimeProvider.GetTimestamp"/>; 0: never.</summary>
    public long HeardAt => Interlocked.Read(ref _heardAt);

    /// <summary>What it starts and leaves behind is part of the decision as long as any work for it goes on.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        Interlocked.Increment(ref _open);
        Ambient.Value = this; // Seen by what is called from here, not by our caller.
        try
        {
            return await work();
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>It has been made: what the caller does from here on has all the time there is.</summary>
    public static void Leave() => Ambient.Value = null;

    /// <summary>
    /// Whether it is the first trouble of its kind: the same with another layer, or of another source, need not be said. A host
    /// that gives no answer is one kind, however it fails to: by a connection that is refused here and breaks there.
    /// </summary>
    public bool IsNews(RegistryException trouble)
    {
        lock (_troubles)
            return _troubles.Add((trouble.Host, (int)(trouble.StatusCode ?? 0)));
    }

    internal void Heard(TimeProvider clock) => Interlocked.Exchange(ref _heardAt, clock.GetTimestamp());

    internal void Gave() => _given.TrySetResult();
}
