namespace LazySnapshotter.Oci;

// What a manifest that is no image is, in the words of people who made it: registries keep charts, signatures, bills of
// materials and much else beside images, all as manifests, told apart by media types alone.
public static class ArtifactKind
{
    private static readonly (string Part, string Kind)[] _kinds =
    [
        ("cncf.helm.", "a Helm chart"),
        ("dev.cosign.simplesigning", "a cosign signature"),
        ("dev.cosign.artifact.sig", "a cosign signature"),
        ("dev.cosign.", "a cosign artifact"),
        ("dev.sigstore.bundle", "a Sigstore bundle"),
        ("cncf.notary.signature", "a Notary signature"),
        ("in-toto", "an attestation (in-toto)"),
        ("dsse", "an attestation (DSSE)"),
        ("spdx", "an SBOM (SPDX)"),
        ("cyclonedx", "an SBOM (CycloneDX)"),
        ("syft", "an SBOM (Syft)"),
        ("wasm", "a WebAssembly module"),
        ("lazysnapshotter.index", "an index of ours, which belongs to an image"),
        ("amazon.soci.", "a SOCI index, which belongs to an image"),
        ("buildkit.cacheconfig", "a build cache (BuildKit)"),
        ("docker.plugin.", "a Docker plugin"),
        ("docker.compose.", "a Compose application"),
        ("docker.ai.", "a model (Docker)"),
        ("ollama.", "a model (Ollama)"),
        ("cncf.model.", "a model (ModelPack)"),
        ("cncf.flux.", "a Flux artifact"),
        ("openpolicyagent.", "an Open Policy Agent bundle"),
        ("cnab.", "a CNAB bundle"),
        ("devcontainers", "a dev container feature or template"),
    ];

    /// <returns>What it is instead of an image, as the end of a sentence; null where it may be an image: its configuration
    /// decides.</returns>
    public static string? WhyNoImage(ImageManifest manifest)
    {
        var saysImage = manifest.Config.MediaType is MediaTypes.OciConfig or MediaTypes.DockerConfig;
        var saysNothing = manifest.Config.Digest == Descriptor.EmptyJson.Digest; // `oras push` gives its files an image's layer types.
        var isImage = manifest.Layers.Any(layer => MediaTypes.IsImageLayer(layer.MediaType))
            ? saysImage || !saysNothing
            : Known(manifest) is null && (saysImage || (manifest.Layers.Count == 0 && !saysNothing));
        return isImage ? null : Describe(manifest);
    }

    /// <returns>What it is, even if its layers have an image's media types.</returns>
    public static string Describe(ImageManifest manifest)
    {
        if (Known(manifest) is { } kind)
            return kind;
        var type = Types(manifest)
            .FirstOrDefault(each => each is not (MediaTypes.OciConfig or MediaTypes.DockerConfig or MediaTypes.OciEmpty));
        return type is null ? "an artifact without a type" : $"an artifact of type {GoObject.Shorten(type)}";
    }

    /// <summary>What a document that is neither a manifest nor an index is.</summary>
    public static string? OfDocument(string? mediaType) => mediaType switch
    {
        "application/vnd.docker.distribution.manifest.v1+json" or "application/vnd.docker.distribution.manifest.v1+prettyjws" =>
            "an image in Docker's old format (manifest schema 1), which cannot be pulled here; `skopeo copy` or a new `docker push` " +
                "converts it",
        "application/vnd.oci.artifact.manifest.v1+json" =>
            "an OCI artifact manifest, a format that was given up before OCI 1.1; it is no image",
        "text/html" => "a web page: something on the way answers for the registry, or it needs a login",
        _ => null,
    };

    private static string? Known(ImageManifest manifest) => Types(manifest)
        .SelectMany(type => _kinds.Where(kind => type.Contains(kind.Part, StringComparison.OrdinalIgnoreCase)).Select(kind => kind.Kind))
            .FirstOrDefault();

    private static IEnumerable<string> Types(ImageManifest manifest) =>
        new[] { manifest.ArtifactType, manifest.Config.MediaType }.Concat(manifest.Layers.Select(layer => layer.MediaType))
            .OfType<string>().Where(type => type.Length > 0);
}
