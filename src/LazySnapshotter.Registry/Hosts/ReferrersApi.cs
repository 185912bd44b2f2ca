using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Hosts;

// Whether a host has the referrers API. That it has not is believed for a while, over a restart too; for a while only,
// because registries are updated while daemons run.
internal sealed class ReferrersApi(string endpoint, RegistryMemory memory, TimeProvider clock)
{
    private static readonly TimeSpan MissingRemembered = TimeSpan.FromHours(1);

    private readonly string _key = RememberedGap.KeyOf(endpoint, RememberedGap.Referrers);

    public bool IsKnownMissing => memory.Gaps.Recall(_key) is not null;

    public void Found() => memory.Gaps.Forget(_key);

    public void Missing()
    {
        var now = clock.GetUtcNow();
        memory.Gaps.Remember(new RememberedGap(endpoint, RememberedGap.Referrers, now, now + MissingRemembered));
    }
}
