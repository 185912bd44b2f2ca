using LazySnapshotter.Daemon.Pull;
using LazySnapshotter.Daemon.Tests.Containerd;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Tests.Pull;

// Pulls through a proxy plugin that says it has the layers: what it is asked, and what is (not) downloaded.
public sealed class LazyPullTests(TestContainerd containerd, TestRegistryServer registry) : PullFixture(containerd, registry)
{
    private const string Prefix = "containerd.io/snapshot/";

    [Fact]
    public async Task Layers_the_snapshotter_has_are_not_downloaded()
    {
        var image = TestImage.WithGreeting("lazy");
        var result = await PullAsync(await image.PushAsync(Registry, "lazy", "1"), "answering");

        Assert.Equal(3, result.LayersLazy);
        Assert.InRange(result.BytesFetched, 1, 10_000);
        foreach (var layer in image.Layers)
            Assert.Null(await Client.Content.FindAsync(Digest.OfSha256(layer.Blob), CancellationToken.None));
        await Containerd.CollectGarbageAsync(Client.NamespaceName);
        Assert.True(await Client.Snapshots("answering").ExistsAsync(Chain(image)[^1].ToString(), CancellationToken.None));
        Assert.Equal(3, (await PullAsync(ImageReference.Parse(result.ImageName), "answering")).LayersPresent);
    }

    [Fact]
    public async Task Snapshotter_is_told_image_layer_and_the_layers_above()
    {
        var image = TestImage.WithGreeting("asked");
        var reference = await image.PushAsync(Registry, "asked", "1", underIndex: true);
        await PullAsync(reference, "answering");

        var layers = image.Layers.Select(layer => Digest.OfSha256(layer.Blob)).ToList();
        var labels = Containerd.Snapshotter.Asked[layers[1]];
        Assert.Equal(reference.ToString(), labels[Prefix + "cri.image-ref"]);
        Assert.Equal(image.ManifestDigest.ToString(), labels[Prefix + "cri.manifest-digest"]);
        Assert.Equal(layers[1].ToString(), labels[Prefix + "cri.layer-digest"]);
        Assert.Equal($"{layers[1]},{layers[2]}", labels[Prefix + "cri.image-layers"]);
        Assert.Equal(Chain(image)[1].ToString(), labels["containerd.io/snapshot.ref"]);
        Assert.Equal(image.Layers[1].DiffId.ToString(), labels[Prefix + "diff-id"]);
        Assert.Equal(Chain(image)[0].ToString(), labels[Prefix + "parent-chain-id"]);
    }

    [Fact]
    public async Task Layer_the_snapshotter_refuses_is_unpacked_and_the_others_stay_lazy()
    {
        var image = TestImage.WithGreeting("mixed");
        var layers = image.Layers.Select(layer => Digest.OfSha256(layer.Blob)).ToList();
        Containerd.Snapshotter.Refused[layers[1]] = true;

        var result = await PullAsync(await image.PushAsync(Registry, "mixed", "1"), "answering");

        Assert.Equal([LayerState.Lazy, LayerState.Unpacked, LayerState.Lazy], result.Layers);
        Assert.NotNull(await Client.Content.FindAsync(layers[1], CancellationToken.None));
        Assert.Null(await Client.Content.FindAsync(layers[2], CancellationToken.None));
        Assert.InRange(result.BytesFetched, image.Layers[1].Blob.Length, image.Layers[1].Blob.Length + 10_000);
    }

    [Fact]
    public async Task Plugin_that_does_not_answer_is_named_with_its_socket()
    {
        var reference = await TestImage.WithGreeting("nobody").PushAsync(Registry, "nobody", "1");

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(reference, "nobody"));

        Assert.Contains("the snapshotter does not answer on", e.Message, StringComparison.Ordinal);
        Assert.Contains("nobody.sock", e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
    }

    [Fact]
    public async Task Snapshotter_that_is_not_configured_is_named_with_those_that_are()
    {
        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(ImageReference.Parse("127.0.0.1:1/never:asked"), "absent"));

        Assert.Contains("no snapshotter \"absent\"", e.Message, StringComparison.Ordinal);
        Assert.Contains("overlayfs", e.Message, StringComparison.Ordinal);
        Assert.Contains("[proxy_plugins.absent]", e.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Digest> Chain(TestImage image) => ChainId.ForEachLayer([.. image.Layers.Select(layer => layer.DiffId)]);
}
