namespace LazySnapshotter.Oci.Tests;

public sealed class ArtifactKindTests
{
    private const string Chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

    [Theory]
    [InlineData(null, "application/vnd.cncf.helm.config.v1+json", Chart, "a Helm chart")]
    [InlineData(null, MediaTypes.OciConfig, "application/vnd.dev.cosign.simplesigning.v1+json", "a cosign signature")]
    [InlineData("application/vnd.dev.sigstore.bundle.v0.3+json", MediaTypes.OciEmpty, "application/vnd.dev.sigstore.bundle.v0.3+json",
        "a Sigstore bundle")]
    [InlineData("application/vnd.cncf.notary.signature", MediaTypes.OciEmpty, "application/jose+json", "a Notary signature")]
    [InlineData(null, MediaTypes.OciConfig, "application/vnd.in-toto+json", "an attestation (in-toto)")]
    [InlineData("application/spdx+json", MediaTypes.OciEmpty, "application/spdx+json", "an SBOM (SPDX)")]
    [InlineData(null, MediaTypes.OciEmpty, "application/vnd.cyclonedx+json", "an SBOM (CycloneDX)")]
    [InlineData(null, "application/vnd.wasm.config.v0+json", "application/wasm", "a WebAssembly module")]
    [InlineData("application/vnd.acme.rocket", MediaTypes.OciEmpty, "text/plain", "an artifact of type application/vnd.acme.rocket")]
    [InlineData(null, "application/vnd.unknown.config.v1+json", "text/plain", "an artifact of type application/vnd.unknown.config.v1+json")]
    [InlineData(null, "", "text/plain", "an artifact of type text/plain")]
    public void An_artifact_is_called_what_it_is(string? artifactType, string config, string layer, string kind) =>
        Assert.Equal(kind, ArtifactKind.WhyNoImage(Manifest(artifactType, config, layer)));

    [Theory]
    [InlineData(null, MediaTypes.OciConfig, MediaTypes.OciLayerGzip)]
    [InlineData("application/vnd.acme.rocket", MediaTypes.DockerConfig, MediaTypes.DockerLayerZstd)]
    [InlineData(null, "application/octet-stream", MediaTypes.DockerLayerGzip)]
    [InlineData(null, "", "application/vnd.oci.image.layer.nondistributable.v1.tar")]
    [InlineData(null, MediaTypes.OciEmpty, MediaTypes.OciLayerGzip)]
    [InlineData(null, MediaTypes.OciConfig, "application/octet-stream")]
    [InlineData(null, MediaTypes.OciConfig, null)]
    [InlineData(null, "text/html", null)]
    public void What_may_be_an_image_is_left_to_its_configuration(string? artifactType, string config, string? layer) =>
        Assert.Null(ArtifactKind.WhyNoImage(Manifest(artifactType, config, layer)));

    [Fact]
    public void Files_pushed_as_layers_without_a_configuration_are_no_image()
    {
        var pushed = Manifest(
            "application/vnd.acme.rocket", MediaTypes.OciEmpty, MediaTypes.OciLayer) with { Config = Descriptor.EmptyJson };
        Assert.Equal("an artifact of type application/vnd.acme.rocket", ArtifactKind.WhyNoImage(pushed));
        Assert.Equal("an artifact without a type", ArtifactKind.WhyNoImage(pushed with { ArtifactType = null, Layers = [] }));
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1")]
    [InlineData("application/vnd.docker.distribution.manifest.v1+json", "schema 1")]
    [InlineData("application/vnd.oci.artifact.manifest.v1+json", "OCI artifact manifest")]
    [InlineData("text/html", "web page")]
    public void Other_documents_are_called_what_they_are(string mediaType, string part) =>
        Assert.Contains(part, ArtifactKind.OfDocument(mediaType), StringComparison.Ordinal);

    private static ImageManifest Manifest(string? artifactType, string config, string? layer)
    {
        var content = Digest.OfSha256("content"u8);
        return new ImageManifest
        {
            ArtifactType = artifactType,
            Config = new Descriptor { MediaType = config, Digest = content, Size = 7 },
            Layers = layer is null ? [] : [new Descriptor { MediaType = layer, Digest = content, Size = 7 }],
        };
    }
}
