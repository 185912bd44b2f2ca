using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Client;

// What an inspection looks at beneath the operations.
public sealed partial class RegistryClient
{
    internal RegistryRequests Requests => _requests;

    internal HostAuthorizer AuthorizerOf(RegistryEndpoint endpoint) => _authorizers.Of(endpoint);

    internal BlobLocation? KnownLocation(ImageReference repository, Digest digest) =>
        LocationOf(HostOf(repository), repository.Repository, digest).Current;
}
