using System.Text;

namespace LazySnapshotter.Oci.Tests;

// Documents come from strangers. What is read can be used without looking for null.
public sealed class OciJsonTests
{
    private const string D = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Config = $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{D}}","size":2}""";

    [Fact]
    public void A_manifest_is_read()
    {
        var manifest = OciJson.ReadManifest(Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{{{Config}}},"unknown":{"x":[1,2]},
             "layers":[{"mediaType":"{{{MediaTypes.OciLayerGzip}}}","digest":"{{{D}}}","size":9007199254740993,"annotations":{"a":"b"},"urls":["https://x"]}]}
            """), "manifest");
        Assert.Equal(2, manifest.Config.Size);
        var layer = Assert.Single(manifest.Layers);
        Assert.Equal(9007199254740993, layer.Size);
        Assert.Equal(Digest.Parse(D), layer.Digest);
        Assert.Equal("b", layer.Annotations!["a"]);
    }

    [Fact]
    public void An_index_is_read()
    {
        var index = OciJson.ReadIndex(Encoding.UTF8.GetBytes($$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{D}}}","size":5,
             "platform":{"architecture":"arm64","os":"linux","variant":"v8","os.version":"x"}}]}
            """), "index");
        Assert.Equal("linux/arm64/v8", Assert.Single(index.Manifests).Platform!.ToString());
    }

    [Fact]
    public void A_configuration_is_read()
    {
        var config = OciJson.ReadConfig(Encoding.UTF8.GetBytes($$$"""
            {"architecture":"amd64","os":"linux","config":{"Entrypoint":["/a"],"Cmd":null,"Env":["X=1"]},"history":[{}],"rootfs":{"type":"layers","diff_ids":["{{{D}}}"]}}
            """), "config");
        Assert.Equal([Digest.Parse(D)], config.RootFs.DiffIds);
        Assert.Equal(["/a"], config.Config!.Entrypoint);
        Assert.Null(config.Config.Cmd);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[null]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":{}}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":-1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"\",\"digest\":\"" + D + "\",\"size\":1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":null,\"digest\":\"" + D + "\",\"size\":1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":1e99}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":99999999999999999999}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\"}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"md5:x\",\"size\":1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":5,\"size\":1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":null,\"size\":1}]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":{},\"size\":1}]}")]
    [InlineData("{\"config\":null,\"layers\":[]}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[]")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[]} trailing")]
    public void A_manifest_that_cannot_be_used_is_refused_by_name(string json)
    {
        var error = Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(json), "the manifest of x"));
        Assert.StartsWith("the manifest of x: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"manifests\":[null]}")]
    [InlineData("{\"manifests\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":-5}]}")]
    [InlineData("{\"manifests\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":5,\"platform\":{\"os\":5}}]}")]
    public void An_index_that_cannot_be_used_is_refused_by_name(string json)
    {
        var error = Assert.Throws<InvalidDataException>(() => OciJson.ReadIndex(Encoding.UTF8.GetBytes(json), "the index of x"));
        Assert.StartsWith("the index of x: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{\"rootfs\":[]}")]
    [InlineData("{\"architecture\":5}")]
    [InlineData("{\"config\":{\"Cmd\":\"sh\"}}")]
    [InlineData("{\"rootfs\":{\"diff_ids\":\"" + D + "\"}}")]
    [InlineData("{\"rootfs\":{\"diff_ids\":[null]}}")]
    [InlineData("{\"rootfs\":{\"diff_ids\":[\"\"]}}")]
    public void A_configuration_that_cannot_be_used_is_refused_by_name(string json)
    {
        var error = Assert.Throws<InvalidDataException>(() => OciJson.ReadConfig(Encoding.UTF8.GetBytes(json), "the config of x"));
        Assert.StartsWith("the config of x: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "{\"schemaVersion\":null,\"mediaType\":null,\"annotations\":null,\"subject\":null,\"layers\":[<layer>],\"config\":<config>}")]
    [InlineData("{\"Config\":<config>,\"LAYERS\":[<layer>]}")]
    [InlineData("{\"config\":<config>,\"layers\":[],\"layers\":[<layer>]}")]
    [InlineData("{\"config\":<config>,\"layers\":[<layer>],\"layers\":null,\"subject\":{}}\n\n")]
    public void What_Go_takes_for_a_manifest_is_one(string json)
    {
        var layer = $$$"""{"MediaType":"a","mediatype":"{{{MediaTypes.OciLayerGzip}}}","digest":"{{{D}}}","size":7,"urls":null,"platform":null,"annotations":{"n":null}}""";
        var manifest = OciJson.ReadManifest(
            Encoding.UTF8.GetBytes(
                json.Replace("<config>", Config, StringComparison.Ordinal).Replace("<layer>", layer, StringComparison.Ordinal)), "it");

        var read = Assert.Single(manifest.Layers);
        Assert.Equal((MediaTypes.OciLayerGzip, 7), (read.MediaType, read.Size));
        Assert.Equal("", read.Annotations!["n"]);
        Assert.Equal(Digest.Parse(D), manifest.Config.Digest);
        Assert.Null(manifest.Subject);
    }

    [Theory]
    [InlineData("{\"config\":" + Config + "}")]
    [InlineData("{\"config\":" + Config + ",\"layers\":null}")]
    public void A_manifest_without_layers_has_none(string json) =>
        Assert.Empty(OciJson.ReadManifest(Encoding.UTF8.GetBytes(json), "it").Layers);

    [Theory]
    [InlineData("")]
    [InlineData("\"mediaType\":\"\",")]
    [InlineData("\"mediaType\":null,")]
    public void A_configuration_needs_no_media_type(string mediaType) => Assert.Equal("", OciJson.ReadManifest(
        Encoding.UTF8.GetBytes(
            "{\"config\":{" + mediaType + "\"digest\":\"" + D + "\",\"size\":2},\"layers\":[]}"), "it").Config.MediaType);

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"rootfs\":null,\"config\":null,\"architecture\":null,\"os\":null}")]
    [InlineData("{\"rootfs\":{\"diff_ids\":null}}")]
    public void What_a_configuration_does_not_say_is_empty(string json)
    {
        var config = OciJson.ReadConfig(Encoding.UTF8.GetBytes(json), "it");
        Assert.Equal(("", "", null), (config.Os, config.Architecture, config.Config));
        Assert.Empty(config.RootFs.DiffIds);
    }

    [Fact]
    public void Objects_of_the_same_name_are_put_together()
    {
        var config = OciJson.ReadConfig(
            Encoding.UTF8.GetBytes($$$"""{"rootfs":{"diff_ids":["{{{D}}}"]},"os":"a","RootFS":{"type":"layers"},"OS":"b"}"""), "it");
        Assert.Equal([Digest.Parse(D)], config.RootFs.DiffIds);
        Assert.Equal("b", config.Os);
    }

    [Theory]
    [InlineData("\"digest\":\"md5:abc\",\"size\":1", "\"md5:abc\" is not a sha256 or sha512 digest")]
    [InlineData("\"digest\":\"" + D + "\",\"size\":-3", "the descriptor's size is -3")]
    [InlineData("\"digest\":\"" + D + "\"", "the descriptor has no size")]
    public void Entries_that_nobody_wants_may_be_wrong(string members, string why)
    {
        var json = Encoding.UTF8.GetBytes(
            $$$"""{"manifests":[{"mediaType":"x",{{{members}}}},{"mediaType":"y","digest":"{{{D}}}","size":1}]}""");

        var index = OciJson.ReadUsableIndex(json, "it");
        Assert.Equal("y", Assert.Single(index.Manifests).MediaType);
        Assert.Contains($"it: manifest 0: {why}", Assert.Single(index.Unusable)
            .Replace("digest: ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => OciJson.ReadIndex(json, "it"));
    }

    [Theory]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":\"5\"}]}",
        "layer 0: size is \"5\", a whole number is expected")]
    [InlineData("{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"a\",\"digest\":\"" + D + "\",\"size\":5.0}]}",
        "layer 0: size is 5.0, a whole number is expected")]
    [InlineData("{\"config\":" + Config + ",\"layers\":{}}", "layers is an object, a list is expected")]
    [InlineData("{\"layers\":[]}", "it has no configuration")]
    public void Messages_speak_of_the_document(string json, string why)
    {
        var error = Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(json), "it"));
        Assert.Equal($"it: {why}", error.Message);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_by_name()
    {
        var json = Encoding.UTF8.GetBytes(
            "{\"config\":" + Config + ",\"layers\":[{\"mediaType\":\"aX\",\"digest\":\"sha256:X\",\"size\":1}]}");
        foreach (var at in Enumerable.Range(0, json.Length).Where(i => json[i] == (byte)'X').ToList())
        {
            var broken = json.ToArray();
            broken[at] = 0xff;
            Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(broken, "x"));
        }
    }

    [Fact]
    public void Nesting_has_an_end() =>
        Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes("{\"x\":" + new string('[', 1 << 20)), "x"));
}
