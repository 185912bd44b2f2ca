using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Blobs;

// Hosts that answered a ranged GET with the whole blob. For a while only, though over a restart: a pull-through proxy does
// so until it has the blob. We go on asking for ranges; whoever plans reads can see that they cost the whole blob there.
internal sealed class RangelessHosts(RegistryMemory memory, TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    public bool Contains(string host) => memory.Gaps.Recall(KeyOf(host)) is not null;

    /// <returns>Whether this is news.</returns>
    public bool Add(string host)
    {
        var news = !Contains(host);
        var now = clock.GetUtcNow();
        memory.Gaps.Remember(new RememberedGap(host.ToLowerInvariant(), RememberedGap.Ranges, now, now + Remembered));
        return news;
    }

    public void Remove(string host) => memory.Gaps.Forget(KeyOf(host));

    private static string KeyOf(string host) => RememberedGap.KeyOf(host.ToLowerInvariant(), RememberedGap.Ranges);
}
