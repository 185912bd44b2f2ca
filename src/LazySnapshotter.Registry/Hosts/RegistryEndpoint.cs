using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Hosts;

// One place where a registry's content can be had: the registry itself, or a mirror. Each has its own credentials, its own
// tokens, its own backoff, and answers for itself alone.
internal sealed class RegistryEndpoint
{
    private readonly EndpointSettings _settings;

    public RegistryEndpoint(EndpointSettings settings, RegistryOptions options, RegistryMemory memory, Func<RegistryEndpoint, HostAuthorizer> authorizer)
    {
        _settings = settings;
        BaseUri = settings.Origin;
        RetryLimit = settings.IsMirror ? 0 : options.RetryLimit;
        Referrers = new ReferrersApi(MemoryKey, memory, options.Clock);
        Authorizer = authorizer(this);
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri BaseUri { get; }

    /// <summary>Host, with its port where it is not the scheme's own; for messages.</summary>
    public string Name => BaseUri.Authority;

    /// <summary>Tells this endpoint from all others; for what is remembered of it.</summary>
    public string Key => _settings.Namespace is { } upstream ? $"{BaseUri.Authority}{_settings.ApiPath}?ns={upstream}" : $"{BaseUri.Authority}{_settings.ApiPath}";

    /// <summary>Its name in what outlives the process: what was learned over https is not shown over http.</summary>
    public string MemoryKey => $"{BaseUri.Scheme}://{Key}";

    public EndpointCapabilities Capabilities => _settings.Capabilities;

    public bool IsMirror => _settings.IsMirror;

    public string CredentialsName => _settings.CredentialsName;

    /// <summary>How often a ping or a token request is repeated. Not at all at a mirror: the next endpoint is asked at once.</summary>
    public int RetryLimit { get; }

    public HostAuthorizer Authorizer { get; }

    public ReferrersApi Referrers { get; }

    /// <param name="path">As the specification has it: begins with <c>/v2/</c>, may have a query.</param>
    public Uri UriOf(string path) => WithNamespace(new Uri(BaseUri, _settings.ApiPath + path["/v2".Length..]));

    /// <summary>Tells a mirror of several registries which one is meant.</summary>
    public Uri WithNamespace(Uri uri)
    {
        if (_settings.Namespace is not { } upstream || uri.Query.Contains("ns=", StringComparison.Ordinal))
            return uri;
        return new Uri(uri.GetLeftPart(UriPartial.Query) + (uri.Query.Length > 0 ? "&" : "?") + "ns=" + Uri.EscapeDataString(upstream));
    }
}
