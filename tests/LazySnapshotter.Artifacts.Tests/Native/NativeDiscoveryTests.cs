using System.Text;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Artifacts.Tests.Native;

public sealed class NativeDiscoveryTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task All_layers_of_an_image_share_one_discovery_and_cost_one_request_each(bool hasReferrersApi)
    {
        await using var image = await PublishedImage.StartAsync(
            layerCount: 5, options: new TestRegistryOptions { ReferrersApi = hasReferrersApi });
        await PublishAsync(image);
        var client = image.NewClient();
        var (store, source) = NewSource(image, client);
        image.Registry.ClearLog();

        var obtained = await Task.WhenAll(image.Layers.Select(layer => source.ObtainAsync(image.Origin, layer.Digest, null, default)));

        Assert.All(obtained, each => Assert.NotNull(each));
        foreach (var (index, layer) in obtained.Zip(image.Layers))
        {
            Assert.Equal(layer.Digest, index!.Index.LayerDigest);
            index.Index.Dispose();
        }

        // The list of referrers (or its 404, and the tag that stands in for it), the artifact; then what each layer needs.
        Assert.Equal(1, Count(image, "/referrers/"));
        Assert.Equal(hasReferrersApi ? 1 : 2, image.Registry.Count(TestRequestKind.Manifest));
        Assert.Equal(5, image.Registry.Count(TestRequestKind.Blob));
        Assert.Equal(1, image.Registry.Count(TestRequestKind.Ping));
        Assert.Equal(hasReferrersApi ? 8 : 9, image.Registry.Requests.Count);
        Assert.All(image.Layers, layer => Assert.Equal(0, Count(image, layer.Digest.ToString())));
        Assert.Empty(image.Logs.Warnings);
        Assert.All(image.Layers, layer => Assert.True(store.Contains(layer.Digest)));
    }

    [Fact]
    public async Task A_layer_is_open_after_one_range_of_its_index_and_the_index_is_kept_by_itself()
    {
        await using var image = await PublishedImage.StartAsync(layerCount: 3);
        await PublishAsync(image);
        var (store, source) = NewSource(image, image.NewClient(), isWhole: false);
        image.Registry.ClearLog();

        var indexes = new List<LayerIndex>();
        foreach (var layer in image.Layers)
            indexes.Add((await source.ObtainAsync(image.Origin, layer.Digest, null, default))!.Index);

        for (var waited = 0; !image.Layers.All(layer => store.Contains(layer.Digest)); waited++)
        {
            Assert.True(waited < 200, "after 10 s not all indexes are here");
            await Task.Delay(50);
        }

        // These are so small that what lies behind the front comes with it: one request for each.
        var ranges = image.Registry.Requests.Where(request => request.Kind == TestRequestKind.Blob).Select(request => request.Range);
        Assert.Equal(indexes.Select(index => $"bytes=0-{index.FileLength - 1}"), ranges);
        Assert.Equal(indexes.Sum(index => index.FileLength), image.Registry.BytesOf(TestRequestKind.Blob));
        indexes.ForEach(index => index.Dispose());
    }

    [Fact]
    public async Task What_was_found_is_remembered_for_a_while_and_then_asked_again()
    {
        await using var image = await PublishedImage.StartAsync();
        var client = image.NewClient();
        var (_, source) = NewSource(image, client);
        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default));
        await PublishAsync(image);
        image.Registry.ClearLog();

        image.Clock.Move(TimeSpan.FromMinutes(1));
        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default));
        Assert.Empty(image.Registry.Requests);

        image.Clock.Move(TimeSpan.FromMinutes(1.1));
        using var found = (await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default))!.Index;
        Assert.Equal(image.Layers[0].Digest, found.LayerDigest);
    }

    [Fact]
    public async Task A_failure_is_shared_by_the_layers_that_ask_at_once_and_forgotten_soon()
    {
        await using var image = await PublishedImage.StartAsync();
        await PublishAsync(image);
        var client = image.NewClient();
        var (_, source) = NewSource(image, client);
        image.Registry.ClearLog();
        image.Registry.Faults.Add(Fault.Status(503, TestRequestKind.Manifest));

        foreach (var layer in image.Layers)
            await Assert.ThrowsAnyAsync<IOException>(() => source.ObtainAsync(image.Origin, layer.Digest, null, default));
        Assert.Equal(1, image.Registry.Count(TestRequestKind.Manifest));

        image.Registry.Faults.Clear();
        image.Clock.Move(TimeSpan.FromSeconds(6));
        using var found = (await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default))!.Index;
        Assert.Equal(image.Layers[0].Digest, found.LayerDigest);
    }

    [Fact]
    public async Task Without_the_manifests_digest_the_reference_is_resolved_once()
    {
        await using var image = await PublishedImage.StartAsync(layerCount: 3);
        await PublishAsync(image);
        var client = image.NewClient();
        var (_, source) = NewSource(image, client);
        image.Registry.ClearLog();

        foreach (var layer in image.Layers)
            (await source.ObtainAsync(new LayerOrigin(image.Reference, Manifest: null), layer.Digest, null, default))!.Index.Dispose();

        Assert.Equal(1, Count(image, "/manifests/latest"));
        Assert.Equal(3, image.Registry.Count(TestRequestKind.Manifest));
    }

    [Fact]
    public async Task A_truncated_index_is_refused_and_another_artifact_of_the_image_is_taken()
    {
        await using var image = await PublishedImage.StartAsync();
        var good = await image.NewNodeWithIndexesAsync();
        var bytes = await File.ReadAllBytesAsync(good.FileOf(image.Layers[0].Digest));
        image.AddReferrer(Artifact(image, good, 0, bytes.AsSpan(0, bytes.Length - 1).ToArray()));
        image.AddReferrer(Artifact(image, good, 0, bytes));
        var (_, source) = NewSource(image, image.NewClient());

        using var found = (await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default))!.Index;

        Assert.Equal(image.Layers[0].Digest, found.LayerDigest);
        Assert.Contains(image.Layers[0].Digest.ToString(), Assert.Single(image.Logs.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another layer's", true)]
    [InlineData("another layer's", false)]
    [InlineData("not what its identity says", true)]
    [InlineData("not what its identity says", false)]
    [InlineData("no index at all", true)]
    [InlineData("no index at all", false)]
    [InlineData("absent", true)]
    [InlineData("absent", false)]
    [InlineData("other bytes than its digest says", true)]
    [InlineData("other bytes than its digest says", false)]
    public async Task An_index_is_refused_and_not_kept_that_is(string what, bool isWhole)
    {
        await using var image = await PublishedImage.StartAsync();
        var node = await image.NewNodeWithIndexesAsync();
        var right = await File.ReadAllBytesAsync(node.FileOf(image.Layers[0].Digest));
        var wrong = await File.ReadAllBytesAsync(node.FileOf(image.Layers[1].Digest));
        var document = Encoding.UTF8.GetString(what switch
        {
            "another layer's" => Artifact(image, node, 0, wrong, identityOf: 1),
            "not what its identity says" => Artifact(image, node, 0, right, identityOf: 1),
            "no index at all" => Artifact(image, node, 0, "<html>"u8.ToArray()),
            _ => Artifact(image, node, 0, right),
        });
        if (what == "absent")
            document = document.Replace(Digest.OfSha256(right).ToString(), "sha256:" + new string('0', 64), StringComparison.Ordinal);
        if (what == "other bytes than its digest says")
            image.Registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, When = r =>
                r.Path.EndsWith(Digest.OfSha256(right).ToString(), StringComparison.Ordinal), CorruptAt = 500 });
        image.AddReferrer(Encoding.UTF8.GetBytes(document));
        var (store, source) = NewSource(image, image.NewClient(), isWhole);

        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default));

        Assert.False(store.Contains(image.Layers[0].Digest));
        Assert.Contains(image.Logs.Warnings, warning => warning.Contains(image.Layers[0].Digest.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Artifacts_of_other_images_and_unreadable_ones_are_refused_and_said_once()
    {
        await using var image = await PublishedImage.StartAsync(layerCount: 3);
        var node = await image.NewNodeWithIndexesAsync();
        var bytes = await File.ReadAllBytesAsync(node.FileOf(image.Layers[0].Digest));
        var foreign = Artifact(image, node, 0, bytes, subject: image.Manifest with { Digest = Digest.OfSha256("another image"u8) });
        image.AddReferrer(foreign);
        image.AddReferrer(Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(Artifact(image, node, 1, bytes)).Replace("layer-index.v", "layer-index.v9", StringComparison.Ordinal)));
        var (_, source) = NewSource(image, image.NewClient());

        foreach (var layer in image.Layers)
            Assert.Null(await source.ObtainAsync(image.Origin, layer.Digest, null, default));

        Assert.Equal(2, image.Logs.Warnings.Length);
        Assert.Contains(image.Logs.Warnings, warning => warning.Contains("subject", StringComparison.Ordinal));
        Assert.Contains(image.Logs.Warnings, warning => warning.Contains("version 9", StringComparison.Ordinal));
    }

    private static async Task PublishAsync(PublishedImage image)
    {
        var node = await image.NewNodeWithIndexesAsync();
        var layers = image.Layers.Select((layer, i) => Part(image, node, i, File.ReadAllBytes(node.FileOf(layer.Digest)), identityOf: i));
        image.AddReferrer(new NativeArtifact { Subject = image.Manifest, Layers = [.. layers] }.ToBytes());
    }

    private static (
        LayerIndexStore Store, NativeIndexSource Source) NewSource(PublishedImage image, RegistryClient client, bool isWhole = true)
    {
        var store = image.NewNode();
        return (store, new NativeIndexSource(image.NewDiscovery(client), client, store, image.Logs) { IsWhole = isWhole });
    }

    private static byte[] Artifact(
        PublishedImage image, LayerIndexStore node, int layer, byte[] index, int? identityOf = null, Descriptor? subject = null) =>
        new NativeArtifact { Subject = subject
            ?? image.Manifest, Layers = [Part(image, node, layer, index, identityOf ?? layer)] }.ToBytes();

    private static NativeArtifactLayer Part(PublishedImage image, LayerIndexStore node, int layer, byte[] index, int identityOf)
    {
        using var real = LayerIndex.Open(node.FileOf(image.Layers[identityOf].Digest));
        return new NativeArtifactLayer
        {
            LayerDigest = image.Layers[layer].Digest,
            LayerMediaType = image.Layers[layer].MediaType,
            Index = image.AddBlob(index) with { MediaType = NativeArtifact.IndexMediaType },
            Identity = real.Id,
            FrontLength = Math.Min(real.FrontLength, index.Length),
        };
    }

    private static int Count(PublishedImage image, string path) =>
        image.Registry.Requests.Count(request => request.Path.Contains(path, StringComparison.Ordinal));
}
