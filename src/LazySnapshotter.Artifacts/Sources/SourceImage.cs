using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

/// <summary>One image for one platform, as a source has it.</summary>
public sealed record SourceImage
{
    /// <summary>What the image runs on: as an index says, otherwise as its configuration does.</summary>
    public required Platform Platform { get; init; }

    /// <summary>Null where the source keeps images without manifests (docker's archives).</summary>
    public required Descriptor? Manifest { get; init; }

    public required ImageConfig Config { get; init; }

    /// <summary>Lowest first, as they lie in the source: digest and size are those of the bytes that will be read.</summary>
    public required IReadOnlyList<Descriptor> Layers { get; init; }
}
