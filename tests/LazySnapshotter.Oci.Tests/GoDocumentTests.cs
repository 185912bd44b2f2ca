using System.Text;

namespace LazySnapshotter.Oci.Tests;

// What Go's json.Marshal makes of image-spec's structs. The expected texts were printed by Go 1.19; only \b and \f are
// written as Go does since 1.22. Their digests are what registries know such documents by.
public sealed class GoDocumentTests
{
    private const string D = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    [Fact]
    public void A_manifest_is_written_in_the_order_of_Gos_struct()
    {
        var manifest = new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            ArtifactType = "application/vnd.example",
            Config = Descriptor.EmptyJson,
            Layers = [new Descriptor { MediaType = "application/octet-stream", Digest = Digest.Parse(D),
                Size = 9007199254740993, Annotations = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } }],
            Subject = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = Digest.Parse(D), Size = 7 },
            Annotations = new Dictionary<string, string> { ["com.amazon.soci.build-tool-identifier"] = "AWS SOCI CLI v0.2" },
        };
        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{{D}}}","size":2},"layers":[{"mediaType":"application/octet-stream","digest":"{{{D}}}","size":9007199254740993,"annotations":{"a":"1","b":"2"}}],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{D}}}","size":7},"annotations":{"com.amazon.soci.build-tool-identifier":"AWS SOCI CLI v0.2"}}""",
            Encoding.UTF8.GetString(OciJson.WriteManifest(manifest)));
        Assert.Equal(Digest.Parse(D), Descriptor.EmptyJson.Digest);
    }

    [Fact]
    public void An_index_is_written_in_the_order_of_Gos_struct()
    {
        var index = new ImageIndex
        {
            MediaType = MediaTypes.OciIndex,
            Manifests =
            [
                new Descriptor
                {
                    MediaType = MediaTypes.OciManifest, Digest = Digest.Parse(D),
                    Size = 1, Urls = ["https://x/?a=1&b=2"], ArtifactType = "t",
                    Platform = new Platform { Os = "windows", Architecture = "arm64", OsVersion = "10.0", OsFeatures = ["win32k"],
                        Variant = "v8" },
                },
            ],
        };
        Assert.Equal(
            $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{D}}}","size":1,"urls":["https://x/?a=1\u0026b=2"],"platform":{"architecture":"arm64","os":"windows","os.version":"10.0","os.features":["win32k"],"variant":"v8"},"artifactType":"t"}]}""",
            Encoding.UTF8.GetString(OciJson.WriteIndex(index)));
    }

    [Theory]
    [InlineData("<a href=\"x\">&amp;</a>", """\u003ca href=\"x\"\u003e\u0026amp;\u003c/a\u003e""")]
    [InlineData("a/b\\c'd+e`", """a/b\\c'd+e`""")]
    [InlineData("\0\u0001\b\t\n\u000b\f\r\u001f\u007f", """\u0000\u0001\b\t\n\u000b\f\r\u001f""" + "\u007f")]
    [InlineData("äöü€ 😀\u00a0\ufeff", "äöü€ 😀\u00a0\ufeff")]
    [InlineData("\u2028\u2029", """\u2028\u2029""")]
    public void Text_is_escaped_as_Go_escapes_it(string text, string expected)
    {
        var written = Encoding.UTF8.GetString(
            OciJson.WriteIndex(new ImageIndex { Manifests = [], Annotations = new Dictionary<string, string> { [text] = text } }));
        Assert.Equal($$$"""{"schemaVersion":2,"manifests":[],"annotations":{"{{{expected}}}":"{{{expected}}}"}}""", written);
        Assert.Equal(text, OciJson.ReadIndex(Encoding.UTF8.GetBytes(written), "it").Annotations![text]);
    }

    [Fact]
    public void Annotations_are_sorted_by_their_UTF8_bytes()
    {
        var annotations = new[] { "\uff00", "😀", "b", "B", "a.b", "a-b" }.ToDictionary(k => k, _ => "");
        var written = Encoding.UTF8.GetString(OciJson.WriteIndex(new ImageIndex { Manifests = [], Annotations = annotations }));
        Assert.EndsWith(""" "annotations":{"B":"","a-b":"","a.b":"","b":"","＀":"","😀":""}}""".Trim(), written, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_empty_is_left_out()
    {
        var manifest = new ImageManifest { MediaType = null, ArtifactType = "",
            Config = Descriptor.EmptyJson with { Urls = [], Annotations = new Dictionary<string, string>() }, Layers = [] };
        Assert.Equal(
            $$$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{{D}}}","size":2},"layers":[]}""",
            Encoding.UTF8.GetString(OciJson.WriteManifest(manifest)));
    }

    [Fact]
    public void An_artifact_manifest_is_read()
    {
        var manifest = OciJson.ReadManifest(Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"artifactType":"x/y","config":{"mediaType":"{{{MediaTypes.OciEmpty}}}","digest":"{{{D}}}","size":2,"data":"e30="},"layers":[],"subject":{"mediaType":"m","digest":"{{{D}}}","size":3}}"""), "it");
        Assert.Equal("x/y", manifest.ArtifactType);
        Assert.Equal(3, manifest.Subject!.Size);
        Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(
            $$$"""{"config":{"mediaType":"m","digest":"{{{D}}}","size":2},"layers":[],"subject":{"mediaType":"m","digest":"{{{D}}}","size":-3}}"""), "it"));
    }
}
