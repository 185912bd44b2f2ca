using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Scheduling;

// How long a host that failed is left alone. It holds for every request to the host: one in trouble gets one request per
// delay from all of us together, not one from each (S1.10). Delays: RetryDelay after the first failure, doubled by each
// further one, never above RetryDelayMax, and up to a quarter more at random; what the host asks for (Retry-After) if
// that is longer. Failures are forgotten by successes: a refusal for load by more than five of them (regclient's rule:
// the host said what it can bear), any other by one, and all of them when nothing was asked for RetryDelayMax.
// Requests that were on their way together fail together, which is one failure. They do not make up for one either.
// Not thread safe; guarded by its queue.
internal sealed class HostBackoff(RegistryOptions options)
{
    /// <summary>
    /// A host may ask for hours (Docker Hub's pull limit). Deadlines end waits before that; this bounds what is remembered.
    /// </summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromMinutes(5);

    private const int SuccessesPerThrottle = 6;

    private bool _throttled;
    private int _successes;
    private long _lastFailure;

    /// <summary>Those not yet made up for.</summary>
    public int Failures { get; private set; }

    /// <summary>Nobody is sent there before.</summary>
    public DateTimeOffset NotBefore { get; private set; }

    public bool IsIdle(DateTimeOffset now) => now >= NotBefore && (Failures == 0 || now > NotBefore + options.RetryDelayMax);

    /// <summary>How long a request would have to wait now.</summary>
    public TimeSpan Wait(DateTimeOffset now) => NotBefore > now ? NotBefore - now : TimeSpan.Zero;

    /// <summary>A request is sent; the next one may have to wait for its own delay.</summary>
    public void Took(DateTimeOffset now)
    {
        if (now > NotBefore + options.RetryDelayMax)
            Forget();
        if (Failures > 0)
            NotBefore = now + DelayAfter(Failures);
    }

    /// <param name="started">The number of the request that succeeded.</param>
    public void Succeeded(long started)
    {
        if (Failures == 0 || started <= _lastFailure)
            return;
        if (_throttled && ++_successes < SuccessesPerThrottle)
            return;
        _successes = 0;
        if (--Failures == 0)
            Forget();
    }

    /// <param name="started">The number of the request that failed; null where only time tells whether this is news.</param>
    /// <param name="newest">The number of the newest request on its way.</param>
    /// <param name="retryAfter">What the host asks for.</param>
    /// <returns>How long the host is left alone.</returns>
    public TimeSpan Failed(DateTimeOffset now, long? started, long newest, TimeSpan? retryAfter, bool isThrottle)
    {
        _successes = 0;
        _throttled |= isThrottle;
        var isNews = started is null ? now >= NotBefore : started > _lastFailure;
        if (isNews)
        {
            _lastFailure = newest;
            Failures++;
        }

        var delay = WithJitter(DelayAfter(Math.Max(Failures, 1)));
        if (retryAfter > delay)
            delay = retryAfter < RetryAfterMax ? retryAfter.Value : RetryAfterMax;
        if ((isNews || retryAfter is not null) && now + delay > NotBefore)
            NotBefore = now + delay;
        return Wait(now);
    }

    private void Forget()
    {
        Failures = 0;
        _successes = 0;
        _throttled = false;
    }

    private TimeSpan DelayAfter(int failures)
    {
        var factor = 1L << Math.Min(failures - 1, 20);
        return TimeSpan.FromTicks(Math.Min(options.RetryDelay.Ticks * factor, options.RetryDelayMax.Ticks));
    }

    // So that nodes that failed together do not come back together.
#pragma warning disable CA5394 // Spreading load needs no secrecy.
    private static TimeSpan WithJitter(TimeSpan delay) => delay * (1 + (Random.Shared.NextDouble() / 4));
#pragma warning restore CA5394
}
