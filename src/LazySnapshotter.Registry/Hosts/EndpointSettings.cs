using System.Globalization;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

/// <summary>What is configured about one endpoint of a registry.</summary>
/// <param name="Origin">Scheme, host and port.</param>
internal sealed record EndpointSettings(Uri Origin)
{
    /// <summary>Where the API begins; no slash at its end.</summary>
    public string ApiPath { get; init; } = "/v2";

    public EndpointCapabilities Capabilities { get; init; } = EndpointCapabilities.All;

    /// <summary>Stands in for the registry: what it does not have or does not give, the next endpoint may.</summary>
    public bool IsMirror { get; init; }

    /// <summary>The registry a request is about, for an endpoint that is not that registry itself (<c>?ns=</c>).</summary>
    public string? Namespace { get; init; }

    /// <summary>The host under which credentials are looked for.</summary>
    public required string CredentialsName { get; init; }

    /// <summary>Sent with every request to the origin.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Headers { get; init; } = [];

    public ConnectionSettings Connection { get; init; } = ConnectionSettings.Default;

    /// <summary>Nobody said for certain that it speaks https, and it may not: which it is, is tried, https first.</summary>
    public bool SchemeIsGuess { get; init; }

    /// <summary>Of a guess: somebody wrote http:// for it, so that what is sent to it may be sent in plain http.</summary>
    public bool PlainHttpIsMeant { get; init; }

    /// <summary>The same for the same settings.</summary>
    public string Fingerprint => string.Create(
        CultureInfo.InvariantCulture,
        $"{Origin} {ApiPath} {Capabilities} {IsMirror} {Namespace} {CredentialsName} {SchemeIsGuess} {PlainHttpIsMeant} " +
        $"{Connection.Key} {string.Join('\n', Headers.Select(h => h.Key + ":" + string.Join(',', h.Value)))}");

    /// <summary>The registry itself, where nothing is configured about it.</summary>
    public static EndpointSettings Upstream(string registry, RegistryOptions options, bool hasTlsSettings = false)
    {
        var isPlain = !hasTlsSettings && options.PlainHttp(registry);
        var scheme = isPlain ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        return new EndpointSettings(new Uri($"{scheme}://{(registry == DockerHub.Name ? DockerHub.Endpoint : registry)}/"))
        {
            CredentialsName = registry,
            SchemeIsGuess = !isPlain && !hasTlsSettings && LocalName.MaySpeakPlainHttp(registry),
        };
    }

    /// <summary>A host that somebody configured for the registry.</summary>
    public static EndpointSettings Configured(string registry, Uri origin)
    {
        var isDockerHub = origin.Authority.Equals(DockerHub.Endpoint, StringComparison.OrdinalIgnoreCase);
        var isRegistry = (registry == DockerHub.Name && isDockerHub)
            || (Uri.TryCreate($"{origin.Scheme}://{registry}/", UriKind.Absolute, out var own)
                && own.Authority.Equals(origin.Authority, StringComparison.OrdinalIgnoreCase));
        return new EndpointSettings(new Uri(origin.GetLeftPart(UriPartial.Authority) + "/"))
        {
            CredentialsName = isRegistry ? registry : isDockerHub ? DockerHub.Name : origin.Authority,
            Namespace = isRegistry ? null : registry,
        };
    }

    // The headers may hold secrets, and a record would print them.
    public override string ToString() => Origin.Authority + ApiPath;
}
