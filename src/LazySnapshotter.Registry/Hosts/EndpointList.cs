using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Hosts;

// The endpoints of one registry, as its directory has them now. Looked at again at most once a second, and read again when
// a file changed, so that no restart is needed. An endpoint of which nothing changed stays the same object, with its
// tokens and all it knows. States:
//   unread -> good      the directory can be used, or nothing is configured
//   unread -> bad       it cannot: an error for everybody who asks, until it changes
//   good, bad -> good   it changed, and can be used
//   good -> good        it changed and cannot be used: a warning, what was read before stays, whole. Somebody is editing, and
//                       containers are reading.
//   bad -> bad          it changed, and still cannot be used
internal sealed class EndpointList(
    string registry, RegistryOptions options, Func<EndpointSettings, RegistryEndpoint> create, ILogger logger)
{
    private static readonly TimeSpan LookedAtEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private IReadOnlyList<RegistryEndpoint>? _endpoints;
    private RegistryException? _error;
    private IReadOnlyList<string> _filesRead = [];
    private string? _stamp;
    private DateTimeOffset? _lookedAt;

    /// <exception cref="RegistryException">What is configured cannot be used.</exception>
    public IReadOnlyList<RegistryEndpoint> Current
    {
        get
        {
            lock (_gate)
            {
                var now = options.Clock.GetUtcNow();
                if (_lookedAt is not { } before || now >= before + LookedAtEvery || now < before)
                {
                    _lookedAt = now;
                    LookLocked();
                }

                return _endpoints ?? throw new RegistryException(_error!.Failure, _error.Host, _error.Message, innerException: _error);
            }
        }
    }

    /// <summary>Whoever is asked first, for messages; the registry's own name where nobody can be.</summary>
    public string FirstName
    {
        get
        {
            try
            {
                return Current[0].Name;
            }
            catch (RegistryException)
            {
                return registry;
            }
        }
    }

    private void LookLocked()
    {
        var directory = HostDirectory.Find(options.HostsDirectory, registry);
        var stamp = directory + "\n" + HostDirectory.StampOf(directory, _filesRead);
        if (stamp == _stamp)
            return;
        try
        {
            var content = directory is null
                ? new HostDirectoryContent([EndpointSettings.Upstream(registry, options)], [], [])
                : HostDirectory.Read(directory, registry, options);
            foreach (var oddity in content.Oddities)
                logger.HostsFileOdd(registry, oddity);
            var known = (_endpoints ?? []).ToLookup(e => e.Fingerprint);
            _endpoints = [.. content.Endpoints.Select(s => known[s.Fingerprint].FirstOrDefault() ?? create(s))];
            _error = null;
            _filesRead = content.FilesRead;
            _stamp = stamp; // From before it was read. If it now names other files, that makes it be read once more.
            if (directory is not null)
                logger.HostsRead(registry, directory, string.Join(", ", _endpoints.Select(e => e.Name)));
        }
        catch (InvalidDataException e)
        {
            // A file that it misses may appear anywhere, so it is read anew each time. Said once.
            _stamp = null;
            if (_endpoints is not null && _error?.InnerException?.Message != e.Message)
                logger.HostsFileRefused(registry, e.Message);
            _error = new RegistryException(RegistryFailure.Misconfigured, registry,
                $"{registry}: it is not contacted, because its configuration cannot be used: {e.Message}", innerException: e);
        }
    }
}
