using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry;

// What an inspection looks at beneath the operations.
public sealed partial class RegistryClient
{
    internal RegistryRequests Requests => _requests;

    internal BlobLocation? KnownLocation(ImageReference repository, Digest digest) => LocationOf(HostOf(repository), repository.Repository, digest).Current;
}
