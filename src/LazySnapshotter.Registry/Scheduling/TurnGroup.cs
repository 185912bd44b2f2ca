using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Scheduling;

// Places at several hosts for one piece of work, a copy between two registries for example: its second request runs
// inside its first one's body. If each queued on its own, copies in both directions could hold what the other waits for.
// So the work takes all its places before it begins, and waits for one host while it holds no place anywhere (S1.6);
// whatever it then asks, there or along a redirect, waits for no place any more, only for backoffs. Hence the rule that
// makes a ring of waiters impossible: nobody who holds a place waits for one. Its places are background, so what others
// wait for, and what it may itself come to wait for (a token somebody else is fetching), gets past it.
internal sealed class TurnGroup
{
    private static readonly AsyncLocal<TurnGroup?> Ambient = new();

    private volatile bool _isOver;

    /// <summary>The group the caller runs in.</summary>
    public static bool IsInside => Ambient.Value is { _isOver: false };

    /// <param name="queues">A queue may be named more than once.</param>
    /// <exception cref="InvalidOperationException">The caller runs in a group: its places are all it may have.</exception>
    /// <exception cref="TurnWaitException">The caller gave up.</exception>
    public static async Task<T> RunAsync<T>(
        IEnumerable<HostQueue> queues, TurnLoad load, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        if (IsInside)
            throw new InvalidOperationException("a group of turns cannot take further places");

        var request = new TurnRequest(ReadPriority.Background(), load) { NeedsTime = false };
        var turns = await TakeAsync([.. queues.Distinct()], request, cancellationToken);
        var group = new TurnGroup();
        Ambient.Value = group; // Seen by what is called from here, not by our caller.
        try
        {
            return await work();
        }
        finally
        {
            // What was started here and goes on alone (a token others wait for as well) queues like everybody else.
            group._isOver = true;
            Release(turns);
        }
    }

    private static async Task<Turn?[]> TakeAsync(HostQueue[] queues, TurnRequest request, CancellationToken cancellationToken)
    {
        var turns = new Turn?[queues.Length];
        for (var waitFor = 0; queues.Length > 0;)
        {
            turns[waitFor] = await queues[waitFor].EnterAsync(request, cancellationToken);
            var busy = -1;
            for (var i = 0; i < queues.Length && busy < 0; i++)
            {
                if (i != waitFor && (turns[i] = queues[i].TryEnter(request)) is null)
                    busy = i;
            }

            if (busy < 0)
                break;
            Release(turns);
            waitFor = busy;
        }

        return turns;
    }

    // Last taken, first given back: whoever gets the one finds the others free.
    private static void Release(Turn?[] turns)
    {
        for (var i = turns.Length - 1; i >= 0; i--)
        {
            turns[i]?.Dispose();
            turns[i] = null;
        }
    }
}
