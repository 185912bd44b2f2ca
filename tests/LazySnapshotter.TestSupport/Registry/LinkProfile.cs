namespace LazySnapshotter.TestSupport.Registry;

// A simulated link between the registry and everybody: what a round trip takes, and what all response bodies
// together get per second. Default: no link at all, as fast as loopback.
public sealed record LinkProfile(TimeSpan RoundTrip, long BitsPerSecond)
{
    public static readonly LinkProfile Unlimited = new(TimeSpan.Zero, 0);

    public bool IsUnlimited => BitsPerSecond == 0;
}
