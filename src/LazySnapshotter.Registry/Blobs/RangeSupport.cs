using System.Collections.Concurrent;

namespace LazySnapshotter.Registry.Blobs;

// Whether a host gives ranges, by its latest answers in this process and, where it does not, in earlier ones.
internal sealed class RangeSupport(RangelessHosts rangeless)
{
    private readonly ConcurrentDictionary<string, bool> _giving = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null if it has not been asked yet, or long ago.</summary>
    public bool? Of(string host) => rangeless.Contains(host) ? false : _giving.ContainsKey(host) ? true : null;

    public void Gave(string host)
    {
        if (_giving.ContainsKey(host) && !rangeless.Contains(host))
            return;
        if (_giving.Count >= RegistryLimits.RememberedHostsMax)
            _giving.Clear();
        _giving[host] = true;
        rangeless.Remove(host);
    }

    /// <returns>Whether this is news.</returns>
    public bool Ignored(string host)
    {
        _giving.TryRemove(host, out _);
        return rangeless.Add(host);
    }
}
