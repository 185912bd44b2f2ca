using System.Text;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Tests.Native;

public sealed class NativeArtifactTests
{
    private static readonly Digest Image = Digest.Parse("sha256:" + new string('c', 64));
    private static readonly Digest Layer = Digest.Parse("sha256:" + new string('a', 64));

    [Fact]
    public void The_manifest_is_written_as_the_formats_document_shows_it()
    {
        var expected = $$$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "artifactType":"application/vnd.lazysnapshotter.index.v1+json",
            "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},
            "layers":[{"mediaType":"application/vnd.lazysnapshotter.layer-index.v{{{LayerIndex.FormatVersion}}}","digest":"sha256:{{{new string('1', 64)}}}","size":5000,
            "annotations":{"io.lazysnapshotter.index.front-length":"3000","io.lazysnapshotter.index.identity":"{{{new string('e', 64)}}}",
            "io.lazysnapshotter.layer.digest":"{{{Layer}}}","io.lazysnapshotter.layer.media-type":"application/vnd.oci.image.layer.v1.tar+gzip"}}],
            "subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Image}}}","size":700}}
            """.ReplaceLineEndings("");
        Assert.Equal(expected, Encoding.UTF8.GetString(Sample().ToBytes()));
    }

    [Fact]
    public void What_was_written_is_read_back()
    {
        var problems = new List<string>();
        var read = NativeArtifact.Parse(OciJson.ReadManifest(Sample().ToBytes(), "test"), Image, problems);

        Assert.Empty(problems);
        Assert.Equal(Sample().Layers, read.Layers);
    }

    [Fact]
    public void The_artifact_of_another_image_is_refused()
    {
        var other = Digest.Parse("sha256:" + new string('d', 64));
        var refusal = Assert.Throws<InvalidDataException>(
            () => NativeArtifact.Parse(OciJson.ReadManifest(Sample().ToBytes(), "test"), other, []));
        Assert.Contains("subject", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layer-index.v", "layer-index.v9", "version")]
    [InlineData("vnd.lazysnapshotter.layer-index", "vnd.example.layer-index", "media type")]
    [InlineData("front-length\":\"3000", "front-length\":\"5001", "front-length")]
    [InlineData("front-length\":\"3000", "front-length\":\"0", "front-length")]
    [InlineData("front-length\":\"3000", "front-length\":\"-1", "front-length")]
    [InlineData("index.identity\":\"e", "index.identity\":\"E", "identity")]
    [InlineData("layer.digest\":\"sha256:a", "layer.digest\":\"sha256:", "layer.digest")]
    [InlineData("io.lazysnapshotter.layer.digest", "io.lazysnapshotter.layer.dugest", "layer.digest")]
    public void A_part_that_cannot_be_used_is_named_and_left_out(string before, string after, string named)
    {
        var document = Encoding.UTF8.GetString(Sample().ToBytes()).Replace(before, after, StringComparison.Ordinal);
        var problems = new List<string>();

        var read = NativeArtifact.Parse(OciJson.ReadManifest(Encoding.UTF8.GetBytes(document), "test"), Image, problems);

        Assert.Empty(read.Layers);
        Assert.Contains(named, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_short_index_file_lies_in_the_manifest_and_is_checked()
    {
        var content = "an index, for all this class knows"u8.ToArray();
        var part = Sample().Layers[0] with
        {
            Index = new Descriptor { MediaType = NativeArtifact.IndexMediaType, Digest = Digest.OfSha256(content), Size = content.Length },
            FrontLength = 10,
            Content = content,
        };
        var document = (Sample() with { Layers = [part] }).ToBytes();
        Assert.Equal(content, Assert.Single(NativeArtifact.Parse(OciJson.ReadManifest(document, "test"), Image, []).Layers).Content);

        foreach (var wrong in new[] { "", "YW4=", "no base64!", Convert.ToBase64String("an index, for all this class knowz"u8) })
        {
            var problems = new List<string>();
            var changed = Encoding.UTF8.GetString(document).Replace(Convert.ToBase64String(content), wrong, StringComparison.Ordinal);
            Assert.Empty(NativeArtifact.Parse(OciJson.ReadManifest(Encoding.UTF8.GetBytes(changed), "test"), Image, problems).Layers);
            Assert.Contains("data: not the", Assert.Single(problems), StringComparison.Ordinal);
        }
    }

    private static NativeArtifact Sample() => new()
    {
        // With the platform an image's index gives it, which is not to be written.
        Subject = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = Image, Size = 700,
            Platform = new Platform { Os = "linux", Architecture = "amd64" } },
        Layers =
        [
            new NativeArtifactLayer
            {
                LayerDigest = Layer,
                LayerMediaType = MediaTypes.OciLayerGzip,
                Index = new Descriptor { MediaType = NativeArtifact.IndexMediaType, Digest = Digest.Parse(
                    "sha256:" + new string('1', 64)), Size = 5000 },
                Identity = new string('e', 64),
                FrontLength = 3000,
            },
        ],
    };
}
