using System.Diagnostics;

namespace LazySnapshotter.TestSupport.Registry;

// Shapes bodies to a link's bandwidth. A clock of its own says until when the link is busy; each chunk books the time
// it takes to send and is written when that time is over. Timers wake up late by a millisecond or so, so a sender that
// is late may catch up: the clock is allowed to lag by a few milliseconds. Nobody spins.
internal sealed class LinkShaper(LinkProfile link)
{
    private static readonly long CatchUpTicks = Stopwatch.Frequency * 8 / 1000;
    private static readonly long WorthWaitingTicks = Stopwatch.Frequency * 2 / 1000;

    private readonly Lock _gate = new();
    private long _busyUntil;

    /// <summary>How much is booked at once: about two milliseconds, so that connections share the link fairly.</summary>
    public int ChunkBytes { get; } = link.IsUnlimited ? 128 << 10 : (int)Math.Clamp(link.BitsPerSecond / 8 / 500, 1 << 10, 128 << 10);

    public Task RoundTripAsync(CancellationToken cancellationToken) =>
        link.RoundTrip == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(link.RoundTrip, cancellationToken);

    public async ValueTask SendAsync(int bytes, CancellationToken cancellationToken)
    {
        if (link.IsUnlimited)
            return;

        long wait;
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            _busyUntil = Math.Max(_busyUntil, now - CatchUpTicks) + (bytes * 8L * Stopwatch.Frequency / link.BitsPerSecond);
            wait = _busyUntil - now;
        }

        if (wait > WorthWaitingTicks)
            await Task.Delay(TimeSpan.FromSeconds((double)wait / Stopwatch.Frequency), cancellationToken);
    }
}
