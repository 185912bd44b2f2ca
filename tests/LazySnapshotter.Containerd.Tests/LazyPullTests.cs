using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;

namespace LazySnapshotter.Containerd.Tests;

// Pulls through a proxy plugin that says it has the layers: what it is asked, and what is (not) downloaded.
public sealed class LazyPullTests(PullPeers peers) : PullTest(peers)
{
    private const string Prefix = "containerd.io/snapshot/";

    [Fact]
    public async Task Layers_the_snapshotter_has_are_not_downloaded()
    {
        var image = GreetingImage.WithGreeting("lazy");
        var result = await PullAsync(image.AddTo(Peers.Registry, "lazy"), ContainerdProcess.PluginName);

        Assert.Equal(3, result.LayersLazy);
        Assert.InRange(result.BytesFetched, 1, 10_000);
        foreach (var layer in image.Layers)
            Assert.Null(await Client.Content.FindAsync(Digest.OfSha256(layer.Blob), CancellationToken.None));
        await CollectGarbageAsync();
        Assert.True(await Client.Snapshots(ContainerdProcess.PluginName).ExistsAsync(Chain(image)[^1].ToString(), CancellationToken.None));
        Assert.Equal(3, (await PullAsync(ImageReference.Parse(result.ImageName), ContainerdProcess.PluginName)).LayersPresent);
    }

    [Fact]
    public async Task Snapshotter_is_told_image_layer_and_the_layers_above()
    {
        var image = GreetingImage.WithGreeting("asked");
        var reference = image.AddTo(Peers.Registry, "asked", underIndex: true);
        await PullAsync(reference, ContainerdProcess.PluginName);

        var layers = image.Layers.Select(layer => Digest.OfSha256(layer.Blob)).ToList();
        var labels = Peers.Snapshotter.Asked[layers[1]];
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
        var image = GreetingImage.WithGreeting("mixed");
        var layers = image.Layers.Select(layer => Digest.OfSha256(layer.Blob)).ToList();
        Peers.Snapshotter.Refused[layers[1]] = true;

        var result = await PullAsync(image.AddTo(Peers.Registry, "mixed"), ContainerdProcess.PluginName);

        Assert.Equal([LayerState.Lazy, LayerState.Unpacked, LayerState.Lazy], result.Layers);
        Assert.NotNull(await Client.Content.FindAsync(layers[1], CancellationToken.None));
        Assert.Null(await Client.Content.FindAsync(layers[2], CancellationToken.None));
        Assert.InRange(result.BytesFetched, image.Layers[1].Blob.Length, image.Layers[1].Blob.Length + 10_000);
    }

    [Fact]
    public async Task Plugin_that_does_not_answer_is_named_with_its_socket()
    {
        await using var containerd = await ContainerdProcess.StartAsync(
            new ContainerdOptions { SnapshotterAddress = "/run/nobody-is-here.sock" });
        using var client = new ContainerdClient(containerd.Address, containerd.Namespace);
        var reference = GreetingImage.WithGreeting("nobody").AddTo(Peers.Registry, "nobody");

        var e = await Assert.ThrowsAsync<PullException>(() =>
            new ImagePull(client, Peers.RegistryClient, new PullOptions()).RunAsync(reference, null, CancellationToken.None));

        Assert.Contains("the snapshotter does not answer on /run/nobody-is-here.sock", e.Message, StringComparison.Ordinal);
        Assert.Empty((await containerd.CtrAsync("images", "list", "--quiet")).Checked().Output);
        Assert.Empty((await containerd.CtrAsync("leases", "list", "--quiet")).Checked().Output);
    }

    [Fact]
    public async Task Snapshotter_that_is_not_configured_is_named_with_those_that_are()
    {
        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(ImageReference.Parse("127.0.0.1:1/never:asked"), "absent"));

        Assert.Contains("no snapshotter \"absent\"", e.Message, StringComparison.Ordinal);
        Assert.Contains("overlayfs", e.Message, StringComparison.Ordinal);
        Assert.Contains("[proxy_plugins.absent]", e.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Digest> Chain(GreetingImage image) =>
        ChainId.ForEachLayer([.. image.Layers.Select(layer => layer.DiffId)]);
}
