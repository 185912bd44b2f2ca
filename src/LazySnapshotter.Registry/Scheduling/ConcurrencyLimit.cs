namespace LazySnapshotter.Registry.Scheduling;

// How many requests one host has on its way at once: as many as it sustains (AIMD). One more after as many successes as the
// limit, counted only while somebody waits for a place, since a limit nobody reaches proves nothing. Half
// of it when the host says that it is too much (429, 503), once for all requests that were on their way then: each of them
// may bring the same news. Not thread safe; guarded by its queue.
internal sealed class ConcurrencyLimit(int start, int max)
{
    public const int Min = 1;

    private int _successes;
    private long _lastCut;

    public int Current { get; private set; } = Math.Clamp(start, Min, max);

    public void Succeeded(bool somebodyWaits)
    {
        if (!somebodyWaits || Current >= max || ++_successes < Current)
            return;
        _successes = 0;
        Current++;
    }

    /// <param name="started">The number of the request that was refused.</param>
    /// <param name="newest">The number of the newest request on its way.</param>
    /// <returns>Whether this was news.</returns>
    public bool Throttled(long started, long newest)
    {
        _successes = 0;
        if (started <= _lastCut)
            return false;
        _lastCut = newest;
        Current = Math.Max(Min, Current / 2);
        return true;
    }
}
