using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Push;

/// <param name="Descriptor">Media type, digest and size of the manifest that was put.</param>
/// <param name="SubjectListed">The registry lists it among the referrers of its subject (OCI-Subject). False where it has none.</param>
public sealed record ManifestPush(Descriptor Descriptor, bool SubjectListed);
