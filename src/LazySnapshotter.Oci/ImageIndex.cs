namespace LazySnapshotter.Oci;

// An image index (OCI image-spec image-index.md; Docker's manifest list): one manifest per platform.
public sealed record ImageIndex
{
    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public required IReadOnlyList<Descriptor> Manifests { get; init; }

    /// <summary>Entries left out of <see cref="Manifests"/>, each with what is wrong with it. Not written.</summary>
    public IReadOnlyList<string> Unusable { get; init; } = [];

    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
