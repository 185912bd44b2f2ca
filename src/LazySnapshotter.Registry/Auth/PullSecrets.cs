using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Auth;

// Credentials that a client handed over together with an image, each for that image's repository alone. They live in this
// process's memory and nowhere else: after a restart they have to be handed over again, or found elsewhere.
internal sealed class PullSecrets
{
    private readonly Lock _gate = new();
    private readonly OrderedDictionary<(string Host, string Repository), Credentials> _secrets = [];

    /// <returns>Whether others than these were in use for the repository until now.</returns>
    public bool Set(string host, string repository, Credentials credentials)
    {
        var key = (host.ToLowerInvariant(), repository);
        lock (_gate)
        {
            var isNew = !_secrets.TryGetValue(key, out var known) || !known.IsSameAs(credentials);
            _secrets.Remove(key);
            if (_secrets.Count == RegistryLimits.PullSecretsMax)
                _secrets.RemoveAt(0);
            _secrets.Add(key, credentials);
            return isNew;
        }
    }

    public Credentials? Find(string host, string repository)
    {
        lock (_gate)
            return _secrets.GetValueOrDefault((host.ToLowerInvariant(), repository));
    }
}
