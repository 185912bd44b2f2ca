using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Artifacts.Layouts;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Artifacts.Tests.Transfer;

// What `index push|pull|copy|rm|list` do, against Debian's docker-registry (which has no referrers API: the fallback tag).
public sealed class TransferTests : IAsyncLifetime
{
    private PublishedImage _image = null!;
    private DockerRegistry _registry = null!;
    private RegistryClient _client = null!;

    private ImageReference Here => ImageReference.Parse($"{_registry.Address}/here/image:1");

    private ImageReference There => ImageReference.Parse($"{_registry.Address}/there/image:2");

    public async Task InitializeAsync()
    {
        _image = await PublishedImage.StartAsync();
        _registry = await DockerRegistry.StartAsync();
        _client = _image.NewClient();
        await PutImageAsync(Here);
        await PutImageAsync(There);
    }

    public async Task DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _image.DisposeAsync();
    }

    [Fact]
    public async Task What_one_node_pushes_another_one_pulls_to_the_byte()
    {
        var pushing = await _image.NewNodeWithIndexesAsync();
        var pushed = await PushAsync(pushing);
        var pulling = _image.NewNode();

        var pulled = await NewPull(pulling).RunAsync(Here, _image.Manifest.Digest, _image.Layers, default);

        Assert.Equal(NativeArtifact.ArtifactType, pushed.Artifact!.ArtifactType);
        Assert.All(pushed.Pushed, part => Assert.Equal(BlobPush.Uploaded, part.How));
        Assert.Empty(pushed.Missing);
        Assert.All(pulled, layer => Assert.Equal("native", layer.Source));
        foreach (var layer in _image.Layers)
            Assert.Equal(
                await File.ReadAllBytesAsync(pushing.FileOf(layer.Digest)), await File.ReadAllBytesAsync(pulling.FileOf(layer.Digest)));
        Assert.All(
            await NewPull(pulling).RunAsync(Here, _image.Manifest.Digest, _image.Layers, default), layer => Assert.Null(layer.Source));
    }

    [Fact]
    public async Task Pushing_again_changes_nothing_and_sends_nothing()
    {
        var node = await _image.NewNodeWithIndexesAsync();
        var first = await PushAsync(node);
        var second = await PushAsync(node);

        Assert.Equal(first.Artifact!.Digest, second.Artifact!.Digest);
        Assert.All(second.Pushed, part => Assert.Equal(BlobPush.Present, part.How));
        Assert.Single(await ListAsync(Here));
    }

    [Fact]
    public async Task What_is_missing_is_said_and_the_rest_is_pushed()
    {
        var zstd = new Descriptor { MediaType = MediaTypes.OciLayerZstd, Digest = Digest.OfSha256("zstd"u8), Size = 4 };
        var push = new IndexPush(_client);
        var some = await push.RunAsync(
            Here, _image.Manifest, [.. _image.Layers, zstd], await _image.NewNodeWithIndexesAsync(count: 1), default);
        var none = await push.RunAsync(There, _image.Manifest, _image.Layers, _image.NewNode(), default);

        Assert.Equal(_image.Layers[0].Digest, Assert.Single(some.Pushed).Layer);
        Assert.Equal([(_image.Layers[1].Digest, true), (zstd.Digest, false)], some.Missing.Select(
            missing => (missing.Layer.Digest, missing.IsLazy)));
        Assert.Null(none.Artifact);
        Assert.Empty(await ListAsync(There));
    }

    [Fact]
    public async Task A_damaged_index_is_not_pushed()
    {
        var node = await _image.NewNodeWithIndexesAsync();
        var path = node.FileOf(_image.Layers[0].Digest);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);

        var pushed = await PushAsync(node);

        Assert.Equal(_image.Layers[1].Digest, Assert.Single(pushed.Pushed).Layer);
        Assert.Contains("damaged", Assert.Single(pushed.Missing).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Indexes_of_both_formats_are_copied_listed_and_removed()
    {
        var native = await PushAsync(await _image.NewNodeWithIndexesAsync());
        var soci = await PushSociAsync();

        var copied = await new IndexCopy(_client, _image.Logs).RunAsync(Here, There, _image.Manifest.Digest, format: null, default);
        var there = await ListAsync(There);

        Assert.Equal([native.Artifact!.Digest, soci.Artifact!.Digest], copied.Select(artifact => artifact.Digest));
        Assert.Equal(["native", "soci-v1"], there.Select(index => index.Kind));
        Assert.All(there, index => Assert.Equal(_image.Layers.Select(layer => layer.Digest), index.Parts.Select(part => part.Layer)));
        Assert.All(there[0].Parts, part => Assert.InRange(part.FrontLength!.Value, 1, part.Part.Size));

        var removed = await new IndexRemoval(_client).RunAsync(There, _image.Manifest.Digest, IndexFormat.Native, default);
        Assert.Equal(native.Artifact.Digest, Assert.Single(removed).Digest);
        Assert.Equal("soci-v1", Assert.Single(await ListAsync(There)).Kind);
        Assert.Single(await new IndexRemoval(_client).RunAsync(There, _image.Manifest.Digest, format: null, default));
        Assert.Empty(await ListAsync(There));
        Assert.Equal(2, (await ListAsync(Here)).Count);
    }

    [Fact]
    public async Task What_was_pushed_from_a_layout_is_used_as_soci_s_index()
    {
        await PushSociAsync();
        var node = _image.NewNode();

        var pulled = await NewPull(node).RunAsync(Here, _image.Manifest.Digest, _image.Layers, default);

        Assert.All(pulled, layer => Assert.Equal("soci-v1", layer.Source));
        Assert.All(_image.Layers, layer => Assert.True(node.Contains(layer.Digest)));
    }

    [Fact]
    public async Task A_copy_to_where_the_image_is_not_is_refused()
    {
        await PushAsync(await _image.NewNodeWithIndexesAsync());
        var elsewhere = ImageReference.Parse($"{_registry.Address}/else/where:1");
        var refusal = await Assert.ThrowsAsync<InvalidDataException>(() =>
            new IndexCopy(_client, _image.Logs).RunAsync(Here, elsewhere, _image.Manifest.Digest, format: null, default));
        Assert.Contains(_image.Manifest.Digest.ToString(), refusal.Message, StringComparison.Ordinal);
    }

    private Task<IndexPushResult> PushAsync(LayerIndexStore node) =>
        new IndexPush(_client).RunAsync(Here, _image.Manifest, _image.Layers, node, default);

    // As `index build --format soci -o DIR` and `index push --layout DIR` do it.
    private async Task<IndexPushResult> PushSociAsync()
    {
        var directory = _image.NewRoot();
        var layout = SociIndexLayout.Open(directory);
        for (var i = 0; i < _image.Layers.Count; i++)
        {
            var ztoc = await _image.BuildZtocAsync(i);
            var file = Path.Combine(directory, "scratch");
            await File.WriteAllBytesAsync(file, ztoc);
            var blob = new Descriptor { MediaType = SociNames.ZtocMediaType, Digest = Digest.OfSha256(ztoc), Size = ztoc.Length };
            await layout.AddZtocAsync(_image.Layers[i], blob, 64 << 10, disableXattrs: false, file, default);
        }

        var index = await layout.AddIndexAsync(_image.Manifest, Platform.Current, _image.Layers, "test", default);
        var pushed = Assert.Single(
            await new IndexPush(_client).RunFromLayoutAsync(Here, _image.Manifest.Digest, directory, IndexFormat.Soci, default));
        Assert.Equal(index!.Digest, pushed.Artifact!.Digest);
        return pushed;
    }

    private IndexPull NewPull(LayerIndexStore store)
    {
        var client = _image.NewClient();
        var discovery = new IndexDiscovery(client, _image.Logs);
        var native = new NativeIndexSource(discovery, client, store, _image.Logs) { IsWhole = true };
        return new IndexPull(store, new IndexAcquisition([native, new SociIndexSource(1, discovery, client, store, _image.Logs)]));
    }

    private Task<IReadOnlyList<ListedIndex>> ListAsync(ImageReference image) =>
        new IndexListing(_client, _image.Logs).RunAsync(image, _image.Manifest.Digest, default);

    private async Task PutImageAsync(ImageReference image)
    {
        foreach (var blob in _image.Blobs.Append(_image.ConfigBytes))
            await _client.PushBlobAsync(image, BlobContent.OfBytes(blob), mountFrom: null, progress: null, default);
        var manifest = await _client.GetManifestAsync(_image.Reference, _image.Manifest, default);
        await _client.PutManifestAsync(image, image.Tag, MediaTypes.OciManifest, manifest, default);
    }
}
