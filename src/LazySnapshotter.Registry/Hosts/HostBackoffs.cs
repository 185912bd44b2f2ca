using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Hosts;

// The backoff of every host we spoke to, registries and the places they redirect to alike. A registry decides how many
// such places there are, so those without trouble are dropped when they become many.
internal sealed class HostBackoffs(RegistryOptions options, ILogger logger)
{
    private readonly ConcurrentDictionary<string, HostBackoff> _hosts = new(StringComparer.OrdinalIgnoreCase);

    public HostBackoff For(string host)
    {
        if (_hosts.TryGetValue(host, out var known))
            return known;

        if (_hosts.Count >= RegistryLimits.RememberedHostsMax)
            DropIdle();
        return _hosts.GetOrAdd(host, static (name, self) => new HostBackoff(name, self.Options, self.Logger), (Options: options, Logger: logger));
    }

    private void DropIdle()
    {
        foreach (var (host, backoff) in _hosts)
        {
            if (backoff.IsIdle)
                _hosts.TryRemove(host, out _);
        }
    }
}
