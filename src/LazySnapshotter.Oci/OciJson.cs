namespace LazySnapshotter.Oci;

// Reads and writes the documents this project understands. Documents that are read come from a registry: the caller bounds
// their size and checks their digest first; here only the structure is judged, and what Go's tools take is taken. Documents
// are written byte for byte as Go's tools write them, so that the same content has the same digest whoever made it.
public static class OciJson
{
    /// <exception cref="InvalidDataException">Not such a document; <paramref name="what"/> names it in the message.</exception>
    public static ImageManifest ReadManifest(ReadOnlySpan<byte> json, string what) =>
        GoObject.Read(json, what, document => new ImageManifest
    {
        SchemaVersion = SchemaVersion(document),
        MediaType = document.Text("mediaType"),
        ArtifactType = document.Text("artifactType"),
        Config = document.Object("config") is { } config ? DescriptorOf(config) : throw document.Error("it has no configuration"),
        Layers = [.. (document.Objects("layers", "layer") ?? []).Select(layer => WithMediaType(layer, DescriptorOf(layer)))],
        Subject = SubjectOf(document),
        Annotations = document.Map("annotations"),
    });

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> json, string what)
    {
        var index = ReadUsableIndex(json, what);
        return index.Unusable.Count == 0 ? index : throw new InvalidDataException(index.Unusable[0]);
    }

    /// <summary>For who needs one of its entries: what is wrong with the others does not matter, as it does not to containerd.</summary>
    /// <inheritdoc cref="ReadManifest"/>
    public static ImageIndex ReadUsableIndex(ReadOnlySpan<byte> json, string what) => GoObject.Read(json, what, document =>
    {
        var usable = new List<Descriptor>();
        var unusable = new List<string>();
        foreach (var entry in document.Objects("manifests", "manifest") ?? [])
        {
            try
            {
                usable.Add(WithMediaType(entry, DescriptorOf(entry)));
            }
            catch (InvalidDataException e)
            {
                unusable.Add(e.Message);
            }
        }

        return new ImageIndex
        {
            SchemaVersion = SchemaVersion(document),
            MediaType = document.Text("mediaType"),
            ArtifactType = document.Text("artifactType"),
            Manifests = usable,
            Unusable = unusable,
            Subject = SubjectOf(document),
            Annotations = document.Map("annotations"),
        };
    });

    /// <inheritdoc cref="ReadManifest"/>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> json, string what) => GoObject.Read(json, what, document =>
    {
        var parameters = document.Object("config");
        return new ImageConfig
        {
            Architecture = document.Text("architecture") ?? "",
            Os = document.Text("os") ?? "",
            RootFs = new ImageConfig.RootFilesystem
            {
                DiffIds = [.. (document.Object("rootfs")?.Texts("diff_ids") ?? [])
                    .Select((id, i) => DigestOf(document, $"diff ID {i}", id))],
            },
            Config = parameters is null ? null : new ImageConfig.ExecutionParameters
            {
                Entrypoint = parameters.Texts("Entrypoint"),
                Cmd = parameters.Texts("Cmd"),
                Env = parameters.Texts("Env"),
                WorkingDir = parameters.Text("WorkingDir"),
            },
        };
    });

    public static byte[] WriteManifest(ImageManifest manifest) => GoDocument.Of(manifest);

    public static byte[] WriteIndex(ImageIndex index) => GoDocument.Of(index);

    private static int SchemaVersion(GoObject document) => document.Number("schemaVersion") switch
    {
        null => 2,
        >= int.MinValue and <= int.MaxValue and var version => (int)version,
        _ => throw document.Error("schemaVersion is out of range"),
    };

    // Go has no other word for a subject that is not there than one with nothing in it.
    private static Descriptor? SubjectOf(GoObject document) =>
        document.Object("subject") is { } subject && subject.Has("digest") ? WithMediaType(subject, DescriptorOf(subject)) : null;

    // A configuration may have any media type, and none: its content shows what it is.
    private static Descriptor DescriptorOf(GoObject json)
    {
        var size = json.Number("size") ?? throw json.Error("the descriptor has no size");
        return new Descriptor
        {
            MediaType = json.Text("mediaType") ?? "",
            Digest = DigestOf(json, "digest", json.Text("digest") ?? throw json.Error("the descriptor has no digest")),
            Size = size >= 0 ? size : throw json.Error($"the descriptor's size is {size}"),
            Urls = json.Texts("urls"),
            Annotations = json.Map("annotations"),
            Data = json.Text("data"),
            Platform = json.Object("platform") is { } platform ? PlatformOf(platform) : null,
            ArtifactType = json.Text("artifactType"),
        };
    }

    private static Descriptor WithMediaType(GoObject json, Descriptor descriptor) =>
        descriptor.MediaType.Length > 0 ? descriptor : throw json.Error("the descriptor has no media type");

    private static Digest DigestOf(GoObject json, string name, string text) => Digest.TryParse(text, out var digest)
        ? digest
        : throw json.Error($"{name}: \"{GoObject.Shorten(text)}\" is not a sha256 or sha512 digest");

    private static Platform PlatformOf(GoObject json) => new()
    {
        Architecture = json.Text("architecture") ?? "",
        Os = json.Text("os") ?? "",
        OsVersion = json.Text("os.version"),
        OsFeatures = json.Texts("os.features"),
        Variant = json.Text("variant"),
    };
}
