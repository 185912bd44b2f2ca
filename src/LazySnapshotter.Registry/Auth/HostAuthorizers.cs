using System.Runtime.CompilerServices;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Auth;

// The authorizer of each endpoint, for as long as the endpoint lives: one that is configured anew begins anew.
internal sealed class HostAuthorizers(Func<RegistryEndpoint, HostAuthorizer> create)
{
    private readonly ConditionalWeakTable<RegistryEndpoint, HostAuthorizer> _known = [];

    public HostAuthorizer Of(RegistryEndpoint endpoint) => _known.GetValue(endpoint, key => create(key));
}
