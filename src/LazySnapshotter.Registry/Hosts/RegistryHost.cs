using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Hosts;

// A registry as references name it, and the endpoints where its content can be had, in the order in which they are asked.
internal sealed class RegistryHost
{
    private const string DockerHub = "docker.io";
    private const string DockerHubEndpoint = "registry-1.docker.io";

    public RegistryHost(string name, RegistryOptions options, RegistryMemory memory, Func<RegistryEndpoint, HostAuthorizer> authorizer)
    {
        Name = name;
        var scheme = options.PlainHttp(name) ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
        var origin = new Uri($"{scheme}://{(name == DockerHub ? DockerHubEndpoint : name)}/");
        Endpoints = [new RegistryEndpoint(new EndpointSettings(origin) { CredentialsName = name }, options, memory, authorizer)];
    }

    /// <summary>As in an image reference, for example <c>docker.io</c> or <c>registry.example:5000</c>.</summary>
    public string Name { get; }

    /// <summary>Mirrors first; the registry itself is the last.</summary>
    public IReadOnlyList<RegistryEndpoint> Endpoints { get; }

    /// <summary>Whoever is asked first, for messages.</summary>
    public string FirstName => Endpoints[0].Name;

    public RegistryEndpoint? EndpointOf(string key) => Endpoints.FirstOrDefault(e => e.Key == key);

    public bool IsFirstChoice(RegistryEndpoint endpoint) => Endpoints[0] == endpoint;

    /// <summary>Who may be asked for something, in order. What is pushed, and what is read to be pushed, concerns one endpoint alone.</summary>
    /// <exception cref="RegistryException">Nobody may.</exception>
    public IReadOnlyList<RegistryEndpoint> EndpointsFor(EndpointCapabilities needed)
    {
        var able = Endpoints.Where(e => e.Capabilities.HasFlag(needed)).Take(needed.HasFlag(EndpointCapabilities.Push) ? 1 : int.MaxValue).ToList();
        return able.Count > 0
            ? able
            : throw new RegistryException(RegistryFailure.Refused, Name, $"{Name}: none of its configured hosts has the capability \"{needed.ToString().ToLowerInvariant()}\"");
    }

    /// <exception cref="RegistryException">Nobody may.</exception>
    public RegistryEndpoint EndpointForPush() => EndpointsFor(EndpointCapabilities.Push)[0];

    public bool Offers(EndpointCapabilities capability) => Endpoints.Any(e => e.Capabilities.HasFlag(capability));
}
