using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

// A registry as references name it, and the endpoints where its content can be had, in the order in which they are asked.
internal sealed class RegistryHost(string name, EndpointList endpoints)
{
    /// <summary>As in an image reference, for example <c>docker.io</c> or <c>registry.example:5000</c>.</summary>
    public string Name => name;

    /// <summary>Mirrors first; the registry itself is the last. As they are configured now.</summary>
    /// <exception cref="RegistryException">What is configured cannot be used.</exception>
    public IReadOnlyList<RegistryEndpoint> Endpoints => endpoints.Current;

    /// <summary>Whoever is asked first, for messages.</summary>
    public string FirstName => endpoints.FirstName;

    public RegistryEndpoint? EndpointOf(string key) => Endpoints.FirstOrDefault(e => e.Key == key);

    public bool IsFirstChoice(RegistryEndpoint endpoint) => Endpoints[0] == endpoint;

    /// <summary>
    /// Who may be asked for something, in order. What is pushed, and what is read to be pushed, concerns one endpoint alone.
    /// </summary>
    /// <exception cref="RegistryException">Nobody may.</exception>
    public IReadOnlyList<RegistryEndpoint> EndpointsFor(EndpointCapabilities needed)
    {
        var able = Endpoints.Where(e => e.Capabilities.HasFlag(needed))
            .Take(needed.HasFlag(EndpointCapabilities.Push) ? 1 : int.MaxValue).ToList();
        return able.Count > 0
            ? able
            : throw new RegistryException(
                RegistryFailure.Misconfigured, Name,
                $"{Name}: none of its configured hosts has the capability \"{needed.ToString().ToLowerInvariant()}\"");
    }

    /// <exception cref="RegistryException">Nobody may.</exception>
    public RegistryEndpoint EndpointForPush() => EndpointsFor(EndpointCapabilities.Push)[0];

    public bool Offers(EndpointCapabilities capability) => Endpoints.Any(e => e.Capabilities.HasFlag(capability));
}
