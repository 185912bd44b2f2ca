namespace LazySnapshotter.Node.Catalog;

// How long background work that failed waits before it tries again: each time twice as long, up to a limit, and never
// quite as long as its neighbours, who failed for the same reason.
internal struct Backoff(BackoffTimes times)
{
    private TimeSpan _next = times.First;

    public async Task WaitAsync(CancellationToken cancellationToken) => await Task.Delay(Next(), cancellationToken);

    private TimeSpan Next()
    {
        var now = _next;
        _next = TimeSpan.FromTicks(Math.Min(now.Ticks * 2, times.Longest.Ticks));
        return now * (0.75 + (Random.Shared.NextDouble() / 4));
    }
}

/// <param name="First">Before the second attempt.</param>
/// <param name="Longest">Between attempts, however many there were.</param>
public sealed record BackoffTimes(TimeSpan First, TimeSpan Longest)
{
    /// <summary>A registry that restarts is back within seconds; one that is down for an hour is not asked 3600 times.</summary>
    public static BackoffTimes Default { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
}
