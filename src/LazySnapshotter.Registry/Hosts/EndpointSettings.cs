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
}
