using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts;

/// <summary>An image that has a layer: where its bytes, and what was published about it, can be had.</summary>
/// <param name="Image">Registry and repository count; tag and digest only where <paramref name="Manifest"/> is not known.</param>
/// <param name="Manifest">The platform's manifest; null where nobody said, then the reference has to be resolved first.</param>
public sealed record LayerOrigin(ImageReference Image, Digest? Manifest);
