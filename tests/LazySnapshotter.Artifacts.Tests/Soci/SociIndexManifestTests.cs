using System.Text;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Tests.Soci;

public sealed class SociIndexManifestTests
{
    // Printed by a Go program that fills image-spec's v1.Manifest with these values and calls json.Marshal, as soci does.
    private const string FromGo =
        """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.amazon.soci.index.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/octet-stream","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":1111,"annotations":{"com.amazon.soci.image-layer-digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","com.amazon.soci.image-layer-mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","com.amazon.soci.span-size":"4194304"}},{"mediaType":"application/octet-stream","digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222","size":2222,"annotations":{"com.amazon.soci.disable-xattrs":"true","com.amazon.soci.image-layer-digest":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","com.amazon.soci.image-layer-mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","com.amazon.soci.span-size":"4194304"}},{"mediaType":"application/vnd.amazon.soci.prefetch.v1+json","digest":"sha256:3333333333333333333333333333333333333333333333333333333333333333","size":69,"annotations":{"com.amazon.soci.image-layer-digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","size":3333},"annotations":{"com.amazon.soci.build-tool-identifier":"AWS SOCI CLI v0.2 \u003c\u0026\u003e"}}
        """;

    [Fact]
    public void The_manifest_is_what_soci_writes_to_the_byte() => Assert.Equal(FromGo, Encoding.UTF8.GetString(Sample().ToBytes()));

    [Fact]
    public void What_soci_wrote_is_read()
    {
        var problems = new List<string>();
        var read = SociIndexManifest.Parse(
            OciJson.ReadManifest(Encoding.UTF8.GetBytes(FromGo), "test"), SociNames.IndexV1, DigestOf('c'), problems);

        Assert.Empty(problems);
        Assert.Equal(Sample().Ztocs, read.Ztocs);
        Assert.Equal(Sample().Prefetches, read.Prefetches);
        Assert.Equal("AWS SOCI CLI v0.2 <&>", read.BuildTool);
    }

    [Fact]
    public void Version_2_has_no_subject_and_version_1_must_have_the_right_one()
    {
        var v1 = OciJson.ReadManifest(Encoding.UTF8.GetBytes(FromGo), "test");
        var v2 = v1 with { Subject = null, Config = v1.Config with { MediaType = SociNames.IndexV2 } };

        Assert.Equal(2, SociIndexManifest.Parse(v2, SociNames.IndexV2, DigestOf('c'), []).Ztocs.Count);
        Assert.Contains("subject", Refusal(v1, SociNames.IndexV1, 'd'), StringComparison.Ordinal);
        Assert.Contains("media type", Refusal(v1, SociNames.IndexV2, 'c'), StringComparison.Ordinal);
        Assert.Contains("subject", Refusal(v1 with { Subject = null }, SociNames.IndexV1, 'c'), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("com.amazon.soci.image-layer-digest\":\"sha256:a", "com.amazon.soci.image-layer-digest\":\"a", 0, 1)]
    [InlineData("com.amazon.soci.span-size\":\"4194304\"}},{\"mediaType\":\"application/octet-stream\"",
        "com.amazon.soci.span-size\":\"4 MiB\"}},{\"mediaType\":\"application/octet-stream\"", 1, 0)]
    [InlineData("\"size\":1111", "\"size\":1111111111111", 1, 0)]
    [InlineData("\"size\":69", "\"size\":69000000", 0, 1)]
    [InlineData("application/vnd.amazon.soci.prefetch.v1+json", "application/vnd.amazon.soci.prefetch.v2+json", 0, 1)]
    public void A_part_that_cannot_be_used_is_named_and_left_out(string before, string after, int ztocLost, int prefetchLost)
    {
        var document = FromGo.Replace(before, after, StringComparison.Ordinal);
        Assert.NotEqual(FromGo, document);
        var problems = new List<string>();

        var read = SociIndexManifest.Parse(
            OciJson.ReadManifest(Encoding.UTF8.GetBytes(document), "test"), SociNames.IndexV1, DigestOf('c'), problems);

        Assert.NotEmpty(problems);
        Assert.True(read.Ztocs.Count <= 2 - ztocLost, string.Join('\n', problems));
        Assert.Equal(1 - prefetchLost, read.Prefetches.Count);
    }

    private static string Refusal(ImageManifest manifest, string type, char image) =>
        Assert.Throws<InvalidDataException>(() => SociIndexManifest.Parse(manifest, type, DigestOf(image), [])).Message;

    private static SociIndexManifest Sample() => new()
    {
        Subject = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = DigestOf('c'), Size = 3333, Platform = Platform.Current },
        BuildTool = "AWS SOCI CLI v0.2 <&>",
        Ztocs =
        [
            new SociZtoc { Blob = Blob('1', 1111),
                LayerDigest = DigestOf('a'), LayerMediaType = MediaTypes.OciLayerGzip, SpanSize = 4194304 },
            new SociZtoc { Blob = Blob('2', 2222), LayerDigest = DigestOf('b'),
                LayerMediaType = MediaTypes.DockerLayerGzip, SpanSize = 4194304, DisableXattrs = true },
        ],
        Prefetches = [new SociPrefetch { Blob = Blob('3', 69) with { MediaType = SociNames.PrefetchMediaType },
            LayerDigest = DigestOf('a') }],
    };

    private static Descriptor Blob(char digit, long size) =>
        new() { MediaType = SociNames.ZtocMediaType, Digest = DigestOf(digit), Size = size };

    private static Digest DigestOf(char digit) => Digest.Parse("sha256:" + new string(digit, 64));
}
