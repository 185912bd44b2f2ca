using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Hosts;

// One place where a registry's content can be had: the registry itself, or a mirror. Each has its own credentials, its own
// tokens, its own backoff, and answers for itself alone.
internal sealed class RegistryEndpoint
{
    private readonly EndpointSettings _settings;
    private volatile Uri _baseUri;
    private volatile bool _schemeIsGuess;
    private volatile bool _schemeIsRecalled;

    public RegistryEndpoint(EndpointSettings settings, RegistryOptions options, RegistryMemory memory, Func<RegistryEndpoint, HostAuthorizer> authorizer)
    {
        _settings = settings;
        _baseUri = settings.Origin;
        _schemeIsGuess = settings.SchemeIsGuess;
        Fingerprint = settings.Fingerprint;
        RetryLimit = settings.IsMirror ? 0 : options.RetryLimit;
        Referrers = new ReferrersApi(MemoryKey, memory, options.Clock);
        Authorizer = authorizer(this);
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri BaseUri => _baseUri;

    /// <summary>Host, with its port where it is not the scheme's own; for messages.</summary>
    public string Name => _settings.Origin.Authority;

    /// <summary>Tells this endpoint from all others; for what is remembered of it.</summary>
    public string Key => _settings.Namespace is { } upstream ? $"{Name}{_settings.ApiPath}?ns={upstream}" : $"{Name}{_settings.ApiPath}";

    /// <summary>Of everything that is configured about it.</summary>
    public string Fingerprint { get; }

    /// <summary>Its name in what outlives the process: what was learned over https is not shown over http.</summary>
    public string MemoryKey => $"{BaseUri.Scheme}://{Key}";

    /// <summary>The same for the answer to its ping, which also says what scheme it speaks where that has to be found out.</summary>
    public string PingMemoryKey => _settings.SchemeIsGuess ? $"guessed://{Key}" : MemoryKey;

    public EndpointCapabilities Capabilities => _settings.Capabilities;

    public bool IsMirror => _settings.IsMirror;

    /// <summary>Its API is not where the specification has it, so it may have no answer to a ping.</summary>
    public bool OverridesPath => _settings.OverridesPath;

    public string CredentialsName => _settings.CredentialsName;

    /// <summary>How often a ping or a token request is repeated. Not at all at a mirror: the next endpoint is asked at once.</summary>
    public int RetryLimit { get; }

    /// <summary>Whether it speaks https has to be found out, see <see cref="SchemeRace"/>.</summary>
    public bool SchemeIsGuess => _schemeIsGuess;

    /// <summary>It was found out before a restart, and may have changed meanwhile.</summary>
    public bool SchemeIsRecalled => _schemeIsRecalled;

    /// <summary>Whether a name and password may be sent there: not where plain http was only found out.</summary>
    public bool MayBeShownCredentials => !_settings.SchemeIsGuess || BaseUri.Scheme == Uri.UriSchemeHttps;

    public HostAuthorizer Authorizer { get; }

    public ReferrersApi Referrers { get; }

    /// <param name="path">As the specification has it: begins with <c>/v2/</c>, may have a query.</param>
    public Uri UriOf(string path) => UriOf(BaseUri, path);

    /// <summary>The same, should it speak another scheme.</summary>
    public Uri UriOf(Uri baseUri, string path) => WithNamespace(new Uri(baseUri, _settings.ApiPath + path["/v2".Length..]));

    /// <summary>Tells a mirror of several registries which one is meant.</summary>
    public Uri WithNamespace(Uri uri)
    {
        if (_settings.Namespace is not { } upstream || uri.Query.Contains("ns=", StringComparison.Ordinal))
            return uri;
        return new Uri(uri.GetLeftPart(UriPartial.Query) + (uri.Query.Length > 0 ? "&" : "?") + "ns=" + Uri.EscapeDataString(upstream));
    }

    /// <summary>How to connect to it, or to where it led.</summary>
    public ConnectionSettings ConnectionTo(Uri target) =>
        target.IdnHost.Equals(_settings.Origin.IdnHost, StringComparison.OrdinalIgnoreCase) ? _settings.Connection : _settings.Connection.Elsewhere;

    /// <summary>The headers that somebody configured for it, for a request that goes there; none for one that goes elsewhere.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> HeadersTo(Uri target) =>
        target.Scheme == BaseUri.Scheme && target.Authority.Equals(BaseUri.Authority, StringComparison.OrdinalIgnoreCase) ? _settings.Headers : [];

    /// <summary>It was found out which scheme it speaks.</summary>
    public void Speaks(Uri baseUri)
    {
        _baseUri = baseUri;
        _schemeIsGuess = false;
    }

    /// <summary>It was found out before a restart. Only for an endpoint of which nobody said it.</summary>
    public void SpokeBefore(Uri baseUri)
    {
        if (!_schemeIsGuess || baseUri.IdnHost != _settings.Origin.IdnHost)
            return;
        _schemeIsRecalled = true;
        Speaks(baseUri);
    }

    /// <summary>What was found out before a restart is not so any more.</summary>
    public void DoubtScheme()
    {
        if (!_schemeIsRecalled)
            return;
        _schemeIsRecalled = false;
        _schemeIsGuess = true;
        _baseUri = _settings.Origin;
    }
}
