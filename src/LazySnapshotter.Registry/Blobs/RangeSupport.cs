using System.Collections.Concurrent;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Blobs;

// Whether a host gives ranges, by its latest answers: that it does, in this process; that it does not (it answered a ranged
// GET with the whole blob), over a restart too. For a while only: a pull-through proxy does so until it has the blob. We go on
// asking for ranges; whoever plans reads can see that they cost the whole blob there.
internal sealed class RangeSupport(RegistryMemory memory, TimeProvider clock)
{
    /// <summary>How long a whole blob in place of a range is remembered, of a host and of a blob.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, bool> _giving = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null if it has not been asked yet, or long ago.</summary>
    public bool? Of(string host) => IsRangeless(host) ? false : _giving.ContainsKey(host) ? true : null;

    public void Gave(string host)
    {
        if (_giving.ContainsKey(host) && !IsRangeless(host))
            return;
        if (_giving.Count >= RegistryLimits.RememberedHostsMax)
            _giving.Clear();
        _giving[host] = true;
        memory.Gaps.Forget(KeyOf(host));
    }

    /// <returns>Whether this is news.</returns>
    public bool Ignored(string host)
    {
        _giving.TryRemove(host, out _);
        var news = !IsRangeless(host);
        var now = clock.GetUtcNow();
        memory.Gaps.Remember(new RememberedGap(host.ToLowerInvariant(), RememberedGap.Ranges, now, now + Remembered));
        return news;
    }

    private bool IsRangeless(string host) => memory.Gaps.Recall(KeyOf(host)) is not null;

    private static string KeyOf(string host) => RememberedGap.KeyOf(host.ToLowerInvariant(), RememberedGap.Ranges);
}
