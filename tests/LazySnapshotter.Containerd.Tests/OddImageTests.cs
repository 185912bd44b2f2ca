using System.Text;
using System.Text.Json.Nodes;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;

namespace LazySnapshotter.Containerd.Tests;

// Images that are odd, and which containerd pulls nevertheless: so do we, and they run.
public sealed class OddImageTests(PullPeers peers) : PullTest(peers)
{
    [Theory]
    [InlineData("application/octet-stream")] // docker 1.10
    [InlineData("text/html")]
    [InlineData("application/vnd.acme.config+json")]
    [InlineData("")]
    public async Task Configuration_may_have_any_media_type(string mediaType)
    {
        var image = GreetingImage.WithGreeting("any type");
        image.ConfigMediaType = mediaType;
        var reference = image.AddTo(Peers.Registry, "any-type");

        await PullAsync(reference);

        await AssertUnpackedAsync(image, reference);
    }

    [Fact]
    public async Task Configuration_needs_no_media_type()
    {
        var image = GreetingImage.WithGreeting("no type");
        image.ChangeManifest = manifest => ((JsonObject)manifest["config"]!).Remove("mediaType");
        var reference = image.AddTo(Peers.Registry, "no-type");

        await PullAsync(reference);

        await AssertUnpackedAsync(image, reference);
    }

    [Theory]
    [InlineData("Linux", "X86_64")]
    [InlineData("linux", "s390x")]
    [InlineData("", "")]
    public async Task An_only_image_is_pulled_whatever_platform_it_names(string os, string architecture)
    {
        var image = GreetingImage.WithGreeting("only one");
        image.Platform = new Platform { Os = os, Architecture = architecture };
        var reference = image.AddTo(Peers.Registry, "only-one");

        await PullAsync(reference);

        Assert.Equal("only one\n", await RunAsync(reference));
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]
    public async Task Foreign_layer_that_the_registry_has_is_pulled(string mediaType)
    {
        var image = GreetingImage.WithGreeting("foreign");
        image.Layers[1] = image.Layers[1] with { MediaType = mediaType };
        var reference = image.AddTo(Peers.Registry, "foreign");

        await PullAsync(reference);

        Assert.Equal("foreign\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Foreign_layer_is_fetched_from_where_its_descriptor_says()
    {
        var image = GreetingImage.WithGreeting("far away");
        var blob = Peers.Registry.Content.AddBlob("far-away-elsewhere", image.Layers[1].Blob);
        var place = $"http://{Peers.Registry.Reference("x").Registry}/v2/far-away-elsewhere/blobs/";
        image.Layers[1] = image.Layers[1] with { MediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" };
        image.ChangeManifest = manifest => manifest["layers"]![1]!["urls"] =
            new JsonArray(":::", "ftp://nowhere/x", place + Digest.OfSha256("nothing"u8), place + blob.Digest);
        var reference = image.AddTo(Peers.Registry, "far-away");
        Peers.Registry.Content.RemoveBlob("far-away", blob.Digest);

        await PullAsync(reference);

        Assert.Equal("far away\n", await RunAsync(reference));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task Image_without_layers_is_pulled(string layers)
    {
        var image = new GreetingImage();
        image.ChangeManifest = manifest => manifest["layers"] = JsonNode.Parse(layers);
        var reference = image.AddTo(Peers.Registry, "no-layers");

        var result = await PullAsync(reference);

        Assert.Empty(result.Layers);
        Assert.Equal(image.ManifestDigest, (await Client.Images.FindAsync(reference.ToString(), CancellationToken.None))!.Digest);
    }

    [Fact]
    public async Task Layer_that_occurs_twice_is_unpacked_twice()
    {
        var image = GreetingImage.WithGreeting("twice");
        image.Layers.Insert(1, image.Layers[0]);
        var reference = image.AddTo(Peers.Registry, "twice");

        await PullAsync(reference);

        Assert.Equal("twice\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Indexes_may_lie_inside_each_other_and_hold_entries_that_are_wrong()
    {
        var image = GreetingImage.WithGreeting("nested");
        var reference = image.AddTo(Peers.Registry, "nested");
        var content = Peers.Registry.Content;
        var inner = new JsonObject
        {
            ["mediaType"] = MediaTypes.OciManifest,
            ["digest"] = image.ManifestDigest.ToString(),
            ["size"] = content.ManifestBytes("nested", image.ManifestDigest.ToString())!.Length,
            ["platform"] = new JsonObject { ["os"] = "LINUX", ["architecture"] = Platform.Current.Architecture.ToUpperInvariant() },
        };
        var wrong = new JsonObject
        {
            ["mediaType"] = MediaTypes.OciManifest,
            ["digest"] = "blake3:00",
            ["size"] = -1,
            ["platform"] = new JsonObject { ["os"] = "plan9", ["architecture"] = "mips" },
        };
        for (var depth = 0; depth < 6; depth++)
        {
            var type = depth % 2 == 0 ? MediaTypes.DockerManifestList : MediaTypes.OciIndex;
            var index = content.AddManifest("nested", "latest", type, Encoding.UTF8.GetBytes(new JsonObject
            {
                ["schemaVersion"] = 2,
                ["manifests"] = new JsonArray(wrong.DeepClone(), inner),
            }.ToJsonString()));
            inner = new JsonObject { ["mediaType"] = type, ["digest"] = index.Digest.ToString(), ["size"] = index.Size };
        }

        await PullAsync(reference);

        Assert.Equal("nested\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Snapshotter_is_told_what_size_the_manifest_says()
    {
        var image = GreetingImage.WithGreeting("sized");
        await PullAsync(image.AddTo(Peers.Registry, "sized"), ContainerdProcess.PluginName);

        var labels = Peers.Snapshotter.Asked[Digest.OfSha256(image.Layers[1].Blob)];
        Assert.Equal($"{image.Layers[1].Blob.Length}", labels["containerd.io/snapshot/lazysnap.layer-size"]);
    }

    // containerd pulls more than it runs: `ctr run` reads configurations of OCI's and Docker's types alone.
    private async Task AssertUnpackedAsync(GreetingImage image, ImageReference reference)
    {
        var chain = ChainId.ForEachLayer([.. image.Layers.Select(layer => layer.DiffId)]);
        Assert.True(await Client.Snapshots("overlayfs").ExistsAsync(chain[^1].ToString(), CancellationToken.None));
        Assert.Equal(image.ManifestDigest, (await Client.Images.FindAsync(reference.ToString(), CancellationToken.None))!.Digest);
    }
}
