using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Client;

// What a reference stands for on one platform, with every document on the way there, so that they can be stored as they are.
public sealed record ResolvedManifest
{
    /// <summary>As it was asked for.</summary>
    public required ImageReference Reference { get; init; }

    /// <summary>What the reference itself names: an index, or the manifest.</summary>
    public ImageDocument Root => Documents[0];

    /// <summary>The manifest of the platform.</summary>
    public ImageDocument ManifestDocument => Documents[^1];

    public required ImageManifest Manifest { get; init; }

    /// <summary>The platform by which an index's entry led to the manifest; null where none did.</summary>
    public Platform? ChosenFor { get; init; }

    /// <summary>Null where the registry was asked; else when it last said so, for it could not be reached now.</summary>
    public DateTimeOffset? TagSeenAt { get; init; }

    /// <summary>From what the reference names down to the manifest: the indexes passed, then the manifest.</summary>
    public required IReadOnlyList<ImageDocument> Documents { get; init; }
}
