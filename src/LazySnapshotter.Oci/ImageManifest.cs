namespace LazySnapshotter.Oci;

// An image manifest (OCI image-spec manifest.md; Docker's schema 2 has the same fields): a configuration and
// the layers, lowest first. An artifact is one too, with a type, whatever blobs it likes as layers, often an empty
// configuration, and as its subject the manifest it is about.
public sealed record ImageManifest
{
    public int SchemaVersion { get; init; } = 2;

    public string? MediaType { get; init; }

    /// <summary>Artifacts made before OCI 1.1 have none: their configuration's media type stands for it.</summary>
    public string? ArtifactType { get; init; }

    public required Descriptor Config { get; init; }

    public required IReadOnlyList<Descriptor> Layers { get; init; }

    /// <summary>The manifest this one refers to; a registry lists this one among that one's referrers.</summary>
    public Descriptor? Subject { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
