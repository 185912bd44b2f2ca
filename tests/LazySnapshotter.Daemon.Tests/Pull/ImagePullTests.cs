using LazySnapshotter.Daemon.Containerd;
using LazySnapshotter.Daemon.Pull;
using LazySnapshotter.Daemon.Tests.Containerd;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Tests.Pull;

// Pulls with a real containerd, its overlayfs snapshotter (so every layer goes the ordinary way) and a real registry.
public sealed class ImagePullTests(TestContainerd containerd, TestRegistryServer registry)
    : IClassFixture<TestContainerd>, IClassFixture<TestRegistryServer>, IDisposable
{
    private static readonly PullOptions Overlayfs = new() { Snapshotter = "overlayfs" };

    // One namespace per test: content and snapshots of one are not there for another.
    private readonly ContainerdClient _client = new(containerd.Address, "test-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pulled_image_runs(bool underIndex)
    {
        var image = TestImage.WithGreeting("hello from the third layer");
        var reference = await image.PushAsync(registry, "greeting", underIndex ? "index" : "manifest", underIndex);

        var result = await PullAsync(reference);

        Assert.Equal(reference.ToString(), result.ImageName);
        Assert.Equal(image.ManifestDigest, result.Manifest);
        Assert.Equal(underIndex, result.Target != result.Manifest);
        Assert.Equal(3, result.LayersUnpacked);
        Assert.InRange(result.BytesFetched, image.Layers.Sum(layer => layer.Blob.Length), image.Layers.Sum(layer => layer.Blob.Length) + 10_000);
        Assert.Equal("hello from the third layer\n", await RunAsync(reference));
    }

    private Task<PullResult> PullAsync(ImageReference reference) =>
        new ImagePull(_client, new HttpPullSource(), Overlayfs).RunAsync(reference, null, CancellationToken.None);

    private Task<string> RunAsync(ImageReference reference) =>
        containerd.CtrAsync("--namespace", _client.NamespaceName, "run", "--rm", reference.ToString(), "c-" + Guid.NewGuid().ToString("N")[..8]);
}
