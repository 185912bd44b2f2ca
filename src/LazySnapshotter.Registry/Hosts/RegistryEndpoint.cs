using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Hosts;

// One place where a registry's content can be had: the registry itself, or a mirror. Each has its own credentials, its own
// tokens, its own backoff, and answers for itself alone.
internal sealed class RegistryEndpoint
{
    private readonly EndpointSettings _settings;
    private volatile Uri _baseUri;
    private volatile bool _schemeIsRecalled;

    public RegistryEndpoint(EndpointSettings settings, RegistryOptions options, RegistryMemory memory)
    {
        _settings = settings;
        _baseUri = settings.Origin;
        Fingerprint = settings.Fingerprint;
        RetryLimit = settings.IsMirror ? 0 : options.RetryLimit;
        Referrers = new ReferrersApi(MemoryKey, memory, options.Clock);
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri BaseUri => _baseUri;

    /// <summary>Host, with its port where it is not the scheme's own; for messages.</summary>
    public string Name => _settings.Origin.Authority;

    /// <summary>Tells this endpoint from all others, as it is configured; for what is remembered of it.</summary>
    public string Key => $"{_settings.Origin.Scheme}://{Place}";

    /// <summary>Of everything that is configured about it.</summary>
    public string Fingerprint { get; }

    /// <summary>Its name in what outlives the process: what was learned over https is not shown over http.</summary>
    public string MemoryKey => MemoryKeyAt(BaseUri);

    /// <summary>The same for the answer to its ping, which also says what scheme it speaks where that has to be found out.</summary>
    public string PingMemoryKey => _settings.SchemeIsGuess ? $"guessed://{Place}" : MemoryKey;

    public EndpointCapabilities Capabilities => _settings.Capabilities;

    public bool IsMirror => _settings.IsMirror;

    public string CredentialsName => _settings.CredentialsName;

    /// <summary>How often a ping or a token request is repeated. Not at all at a mirror: the next endpoint is asked at once.</summary>
    public int RetryLimit { get; }

    /// <summary>Whether it speaks https has to be found out, see <see cref="SchemeRace"/>.</summary>
    public bool SchemeIsGuess => _settings.SchemeIsGuess;

    /// <summary>As the endpoint would be if it spoke https.</summary>
    public Uri SecureUri => _settings.Origin;

    /// <summary>It does not speak https, which was only found out.</summary>
    public bool IsPlainHttpFound => SchemeIsGuess && BaseUri.Scheme == Uri.UriSchemeHttp;

    /// <summary>It was found out before a restart, and may have changed meanwhile.</summary>
    public bool SchemeIsRecalled => _schemeIsRecalled;

    public ReferrersApi Referrers { get; }

    private string Place => _settings.Namespace is { } upstream ? $"{Name}{_settings.ApiPath}?ns={upstream}" : $"{Name}{_settings.ApiPath}";

    /// <summary>The <see cref="MemoryKey"/>, should it speak another scheme.</summary>
    public string MemoryKeyAt(Uri baseUri) => $"{baseUri.Scheme}://{Place}";

    /// <summary>
    /// Whether a name and password may be sent there in this scheme: not in plain http that was only found out and that nobody asked
    /// for.
    /// </summary>
    public bool MayBeShownCredentialsAt(Uri baseUri) => IsMeant(baseUri);

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
        target.IdnHost.Equals(_settings.Origin.IdnHost, StringComparison.OrdinalIgnoreCase)
            ? _settings.Connection
            : _settings.Connection.Elsewhere;

    /// <summary>
    /// The headers that somebody configured for it, for a request that goes there; none for one that goes elsewhere, or in plain http
    /// that was only found out.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> HeadersTo(Uri target) =>
        IsMeant(target) && target.Authority.Equals(_settings.Origin.Authority, StringComparison.OrdinalIgnoreCase) ? _settings.Headers : [];

    /// <summary>It was found out which scheme it speaks.</summary>
    public void Speaks(Uri baseUri) => (_baseUri, _schemeIsRecalled) = (baseUri, false);

    /// <summary>It was found out before a restart. Only for an endpoint of which nobody said it.</summary>
    /// <returns>What it is taken to speak.</returns>
    public Uri SpokeBefore(Uri baseUri)
    {
        if (!SchemeIsGuess || baseUri.IdnHost != _settings.Origin.IdnHost)
            return _settings.Origin;
        (_baseUri, _schemeIsRecalled) = (baseUri, true);
        return baseUri;
    }

    /// <summary>What was found out before a restart is not so any more.</summary>
    public void DoubtScheme()
    {
        if (_schemeIsRecalled)
            (_baseUri, _schemeIsRecalled) = (_settings.Origin, false);
    }

    // A guess begins as https, so plain http is meant where it is configured alone.
    private bool IsMeant(Uri uri) =>
        uri.Scheme == _settings.Origin.Scheme || (_settings.PlainHttpIsMeant && uri.Scheme == Uri.UriSchemeHttp);
}
