using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Tests;

// Pulls with a real containerd, its overlayfs snapshotter (so every layer goes the ordinary way) and a real registry.
public sealed class ImagePullTests(PullPeers peers) : PullTest(peers)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pulled_image_runs(bool underIndex)
    {
        var image = GreetingImage.WithGreeting("hello from the third layer");
        var reference = image.AddTo(Peers.Registry, "greeting", underIndex);

        var result = await PullAsync(reference);

        Assert.Equal(reference.ToString(), result.ImageName);
        Assert.Equal(image.ManifestDigest, result.Manifest);
        Assert.Equal(underIndex, result.Target != result.Manifest);
        Assert.Equal(3, result.LayersUnpacked);
        Assert.InRange(
            result.BytesFetched, image.Layers.Sum(layer => layer.Blob.Length), image.Layers.Sum(layer => layer.Blob.Length) + 10_000);
        Assert.Equal("hello from the third layer\n", await RunAsync(reference));
        Assert.Contains(
            reference.ToString(), await CtrAsync("images", "check", "--quiet", "--snapshotter", "overlayfs"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_keeps_what_it_needs_from_garbage_collection()
    {
        var image = GreetingImage.WithGreeting("still here");
        var reference = image.AddTo(Peers.Registry, "collected", underIndex: true);
        await PullAsync(reference);

        Assert.Empty(await CtrAsync("leases", "list", "--quiet"));
        await CollectGarbageAsync();

        Assert.Equal("still here\n", await RunAsync(reference));
        await CtrAsync("images", "remove", "--sync", reference.ToString());
        Assert.Null(await Client.Content.FindAsync(image.ManifestDigest, CancellationToken.None));
        Assert.Null(await Client.Content.FindAsync(Digest.OfSha256(image.Layers[0].Blob), CancellationToken.None));
        Assert.DoesNotContain(image.Layers[0].DiffId.ToString(), await CtrAsync("snapshots", "list"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documents_are_labelled_as_containerd_does_it()
    {
        var image = GreetingImage.WithGreeting("labels");
        var reference = image.AddTo(Peers.Registry, "labelled/image", underIndex: true);
        var result = await PullAsync(reference);

        var index = await LabelsAsync(result.Target);
        Assert.Equal(result.Manifest.ToString(), index["containerd.io/gc.ref.content.m.1"]);
        Assert.Equal("labelled/image", index["containerd.io/distribution.source.127.0.0.1"]);

        var manifest = await LabelsAsync(result.Manifest);
        Assert.Equal(Digest.OfSha256(image.Layers[2].Blob).ToString(), manifest["containerd.io/gc.ref.content.l.2"]);

        var config = await LabelsAsync(Digest.Parse(manifest["containerd.io/gc.ref.content.config"]));
        var topmost = ChainId.ForEachLayer([.. image.Layers.Select(layer => layer.DiffId)])[^1];
        Assert.Equal(topmost.ToString(), config["containerd.io/gc.ref.snapshot.overlayfs"]);

        var layer = await LabelsAsync(Digest.OfSha256(image.Layers[0].Blob));
        Assert.Equal(image.Layers[0].DiffId.ToString(), layer["containerd.io/uncompressed"]);
        Assert.Equal("labelled/image", layer["containerd.io/distribution.source.127.0.0.1"]);
    }

    [Fact]
    public async Task Sources_of_a_blob_add_up()
    {
        var image = GreetingImage.WithGreeting("twice");
        await PullAsync(image.AddTo(Peers.Registry, "second"));
        await PullAsync(image.AddTo(Peers.Registry, "first"));

        Assert.Equal("first,second", (await LabelsAsync(image.ManifestDigest))["containerd.io/distribution.source.127.0.0.1"]);
    }

    [Fact]
    public async Task Container_starts_when_the_layers_are_not_in_the_content_store()
    {
        var image = GreetingImage.WithGreeting("who needs blobs");
        var reference = image.AddTo(Peers.Registry, "blobless", underIndex: true);
        await PullAsync(reference);
        await CtrAsync(["content", "delete", .. image.Layers.Select(layer => Digest.OfSha256(layer.Blob).ToString())]);
        await CollectGarbageAsync();

        Assert.Equal("who needs blobs\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Pulling_again_moves_documents_only()
    {
        var reference = GreetingImage.WithGreeting("again").AddTo(Peers.Registry, "again");
        await PullAsync(reference);
        var result = await PullAsync(reference);

        Assert.Equal(3, result.LayersPresent);
        Assert.InRange(result.BytesFetched, 1, 10_000);
        Assert.Equal("again\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Pulling_again_repairs_what_was_removed()
    {
        var image = GreetingImage.WithGreeting("repaired");
        var reference = image.AddTo(Peers.Registry, "repaired");
        await PullAsync(reference);
        var chain = ChainId.ForEachLayer([.. image.Layers.Select(layer => layer.DiffId)]);
        await Client.Snapshots("overlayfs").RemoveAsync(chain[2].ToString(), CancellationToken.None);
        await CtrAsync("content", "delete", Digest.OfSha256(image.Layers[2].Blob).ToString());

        var result = await PullAsync(reference);

        // containerd may have collected the lower ones meanwhile: nothing referred to them any more.
        Assert.Equal(LayerState.Unpacked, result.Layers[2]);
        Assert.Equal("repaired\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Pulling_again_follows_the_tag_and_keeps_the_image_s_labels()
    {
        var reference = GreetingImage.WithGreeting("old").AddTo(Peers.Registry, "moving");
        await PullAsync(reference);
        await CtrAsync("images", "label", reference.ToString(), "mine=kept");
        var updated = GreetingImage.WithGreeting("new");
        updated.AddTo(Peers.Registry, "moving");

        await PullAsync(reference);

        Assert.Equal("new\n", await RunAsync(reference));
        Assert.Contains("mine=kept", await CtrAsync("images", "list"), StringComparison.Ordinal);
        Assert.Equal(updated.ManifestDigest, (await Client.Images.FindAsync(reference.ToString(), CancellationToken.None))!.Digest);
    }

    [Fact]
    public async Task Two_pulls_at_once_both_succeed()
    {
        var reference = GreetingImage.WithGreeting("together").AddTo(Peers.Registry, "together");

        var results = await Task.WhenAll(PullAsync(reference), PullAsync(reference), PullAsync(reference));

        Assert.All(results, result => Assert.Equal(3, result.Layers.Count));
        Assert.Equal("together\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Zstd_layers_are_left_to_containerd()
    {
        var image = GreetingImage.WithGreeting("replaced");
        image.AddZstdLayer([("/etc/greeting", "from zstd\n"u8.ToArray())]);
        var reference = image.AddTo(Peers.Registry, "zstd");

        await PullAsync(reference);

        Assert.Equal("from zstd\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Progress_tells_each_layer_s_story_in_order()
    {
        var image = GreetingImage.WithGreeting("progress");
        await PullAsync(image.AddTo(Peers.Registry, "progress"));

        Assert.IsType<PullProgress.Resolving>(Progress[0]);
        Assert.Equal(3, Assert.IsType<PullProgress.Resolved>(Progress[1]).Layers.Count);
        for (var i = 0; i < 3; i++)
        {
            var layer = Progress.OfType<PullProgress.Layer>().Where(each => each.Index == i).ToList();
            var states = layer.Select(each => each.State).Where(state => state != LayerState.Downloading);
            Assert.Equal([LayerState.Preparing, LayerState.Unpacking, LayerState.Unpacked], states);
            Assert.Contains(layer, each => each.State == LayerState.Downloading && each.BytesDone == each.Descriptor.Size);
        }
    }

    private async Task<IReadOnlyDictionary<string, string>> LabelsAsync(Digest digest) =>
        (await Client.Content.FindAsync(digest, CancellationToken.None))!.Labels;
}
