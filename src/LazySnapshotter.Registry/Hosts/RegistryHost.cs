using LazySnapshotter.Registry.Auth;

namespace LazySnapshotter.Registry.Hosts;

// A registry as references name it, where it really is, and what we show it.
internal sealed class RegistryHost
{
    private const string DockerHub = "docker.io";
    private const string DockerHubEndpoint = "registry-1.docker.io";

    public RegistryHost(string name, RegistryOptions options, Func<RegistryHost, HostAuthorizer> authorizer)
    {
        Name = name;
        var scheme = options.PlainHttp(name) ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        BaseUri = new Uri($"{scheme}://{(name == DockerHub ? DockerHubEndpoint : name)}/");
        Authorizer = authorizer(this);
        Referrers = new ReferrersApi(options.Clock);
    }

    /// <summary>As in an image reference, for example <c>docker.io</c> or <c>registry.example:5000</c>.</summary>
    public string Name { get; }

    public Uri BaseUri { get; }

    public HostAuthorizer Authorizer { get; }

    public ReferrersApi Referrers { get; }
}
