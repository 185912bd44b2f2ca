using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Auth;

// A token and how long it is good. Times are ours, counted from before the token was asked for: the service's clock
// (issued_at) may be wrong, and being early costs less than a 401.
internal sealed class BearerToken
{
    public static readonly TimeSpan LifetimeDefault = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RenewedAhead = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromDays(1);

    private readonly DateTimeOffset _renewAt;

    public BearerToken(string value, DateTimeOffset askedAt, TimeSpan lifetime)
    {
        Value = value;
        Lifetime = lifetime <= TimeSpan.Zero ? LifetimeDefault : lifetime < LifetimeMax ? lifetime : LifetimeMax;
        AskedAt = askedAt;
        ExpiresAt = askedAt + Lifetime;
        // Half of a life that is hardly longer than the margin.
        _renewAt = ExpiresAt - (Lifetime / 2 < RenewedAhead ? Lifetime / 2 : RenewedAhead);
    }

    public string Value { get; }

    public TimeSpan Lifetime { get; }

    public DateTimeOffset AskedAt { get; }

    public DateTimeOffset ExpiresAt { get; }

    public Freshness FreshnessAt(DateTimeOffset now) =>
        now < _renewAt ? Freshness.Fresh : now < ExpiresAt ? Freshness.Aging : Freshness.Expired;
}
