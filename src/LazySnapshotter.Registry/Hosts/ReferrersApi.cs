namespace LazySnapshotter.Registry.Hosts;

// Whether a host has the referrers API. That it has is certain for ever; that it has not is believed for a while, because
// registries are updated while daemons run.
internal sealed class ReferrersApi(TimeProvider clock)
{
    private static readonly TimeSpan MissingRemembered = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private bool _found;
    private DateTimeOffset? _missingUntil;

    public bool IsKnownMissing
    {
        get
        {
            lock (_gate)
                return !_found && clock.GetUtcNow() < _missingUntil;
        }
    }

    public void Found()
    {
        lock (_gate)
            _found = true;
    }

    public void Missing()
    {
        lock (_gate)
        {
            _found = false;
            _missingUntil = clock.GetUtcNow() + MissingRemembered;
        }
    }
}
