using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry;

/// <summary>How a blob came to be in a repository.</summary>
public enum BlobPush
{
    /// <summary>It was there; no byte was sent.</summary>
    Present,

    /// <summary>The registry took it over from another of its repositories; no byte was sent.</summary>
    Mounted,

    Uploaded,
}

/// <param name="Descriptor">Media type, digest and size of the manifest that was put.</param>
/// <param name="SubjectListed">The registry lists it among the referrers of its subject (OCI-Subject). False where it has none.</param>
public sealed record ManifestPush(Descriptor Descriptor, bool SubjectListed);
