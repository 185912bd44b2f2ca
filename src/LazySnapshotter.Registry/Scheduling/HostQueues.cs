using System.Collections.Concurrent;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Scheduling;

// The queue of every host we speak to. A registry decides how many hosts it redirects to, so those that are idle are
// dropped when they become many; what they had learned is learned again.
internal sealed class HostQueues(RegistryOptions options, ILogger logger)
{
    private readonly ConcurrentDictionary<string, HostQueue> _queues = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<HostActivity> Activity => [.. _queues.Values.Select(q => q.Activity).OrderBy(a => a.Host, StringComparer.Ordinal)];

    public HostQueue For(string host)
    {
        if (_queues.TryGetValue(host, out var known))
            return known;

        if (_queues.Count >= RegistryLimits.RememberedHostsMax)
            DropIdle();
        return _queues.GetOrAdd(
            host, static (name, self) => new HostQueue(name, self.Options, self.Logger), (Options: options, Logger: logger));
    }

    private void DropIdle()
    {
        foreach (var (host, queue) in _queues)
        {
            if (queue.IsIdle)
                _queues.TryRemove(host, out _);
        }
    }
}
