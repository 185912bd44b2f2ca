using System.Collections.Concurrent;

namespace LazySnapshotter.Registry.Blobs;

// Hosts that answered a ranged GET with the whole blob. For a while only: a pull-through proxy does so until it has
// the blob. We go on asking for ranges; whoever plans reads can see that they cost the whole blob there.
internal sealed class RangelessHosts(TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _until = new(StringComparer.OrdinalIgnoreCase);

    public bool Contains(string host) => _until.TryGetValue(host, out var until) && clock.GetUtcNow() < until;

    /// <returns>Whether this is news.</returns>
    public bool Add(string host)
    {
        var news = !Contains(host);
        if (_until.Count >= RegistryLimits.RememberedHostsMax)
            _until.Clear();
        _until[host] = clock.GetUtcNow() + Remembered;
        return news;
    }

    public void Remove(string host)
    {
        if (!_until.IsEmpty)
            _until.TryRemove(host, out _);
    }
}
