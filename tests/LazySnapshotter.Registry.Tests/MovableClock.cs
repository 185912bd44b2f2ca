namespace LazySnapshotter.Registry.Tests;

// The real clock, and a hand on it: what expires in minutes expires in a test.
internal sealed class MovableClock : TimeProvider
{
    private TimeSpan _ahead;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;

    public void Advance(TimeSpan time) => _ahead += time;
}
