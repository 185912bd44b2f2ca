using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Hosts;

// How long a host that failed is left alone. Every request to the host passes here, so a host in trouble gets one
// request per delay from all of us together, not one from each (regclient's rule). The delay doubles with each
// failure, a success takes one back, and a failure is forgotten when the longest delay has passed since.
internal sealed class HostBackoff(string host, RegistryOptions options, ILogger logger)
{
    // A host may ask for hours (Docker Hub's pull limit). Deadlines end waits before that; this bounds what is remembered.
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private int _failures;
    private DateTimeOffset _notBefore;

    /// <summary>Nothing is remembered that would be missed.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _failures == 0 && options.Clock.GetUtcNow() >= _notBefore;
        }
    }

    /// <summary>How long a request sent now would wait; zero for a host without trouble.</summary>
    public TimeSpan Wait
    {
        get
        {
            lock (_gate)
            {
                var now = options.Clock.GetUtcNow();
                return _notBefore > now ? _notBefore - now : TimeSpan.Zero;
            }
        }
    }

    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var wait = ReserveTurn();
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, options.Clock, cancellationToken);
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            if (_failures > 0)
                _failures--;
        }
    }

    public void Failed(RetryConditionHeaderValue? retryAfter)
    {
        TimeSpan delay;
        int failures;
        lock (_gate)
        {
            var now = options.Clock.GetUtcNow();
            failures = ++_failures;
            delay = WithJitter(DelayAfter(failures));
            var asked = retryAfter?.Delta ?? (retryAfter?.Date - now) ?? TimeSpan.Zero;
            if (asked > delay)
                delay = asked < RetryAfterMax ? asked : RetryAfterMax;
            if (now + delay > _notBefore)
                _notBefore = now + delay;
        }

        logger.HostBacksOff(host, delay.TotalMilliseconds, failures);
    }

    private TimeSpan ReserveTurn()
    {
        lock (_gate)
        {
            if (_failures == 0 && _notBefore == default)
                return TimeSpan.Zero;

            var now = options.Clock.GetUtcNow();
            if (now > _notBefore + options.RetryDelayMax)
                _failures = 0;
            var turn = now > _notBefore ? now : _notBefore;
            if (_failures > 0)
                _notBefore = turn + DelayAfter(_failures);
            return turn - now;
        }
    }

    private TimeSpan DelayAfter(int failures)
    {
        var factor = 1L << Math.Min(failures - 1, 20);
        return TimeSpan.FromTicks(Math.Min(options.RetryDelay.Ticks * factor, options.RetryDelayMax.Ticks));
    }

    // Up to a quarter more, so that nodes that failed together do not come back together.
#pragma warning disable CA5394 // Spreading load needs no secrecy.
    private static TimeSpan WithJitter(TimeSpan delay) => delay * (1 + (Random.Shared.NextDouble() / 4));
#pragma warning restore CA5394
}
