using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Copy;

/// <summary>One manifest to copy.</summary>
/// <param name="Children">Manifests it contains: they have to be in the target before it.</param>
/// <param name="Blobs">Configuration and layers.</param>
/// <param name="Subject">The manifest it refers to, if any.</param>
internal sealed record CopyManifest(
    ImageDocument Document, IReadOnlyList<Descriptor> Children, IReadOnlyList<Descriptor> Blobs, Digest? Subject)
{
    public Digest Digest => Document.Descriptor.Digest;
}

/// <summary>Everything to copy: contained manifests before those that contain them, referrers after what they refer to.</summary>
internal sealed record CopyPlan(CopyManifest Root, IReadOnlyList<CopyManifest> InOrder, IReadOnlyList<Descriptor> LeftOut);
