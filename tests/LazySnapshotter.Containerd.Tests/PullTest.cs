using System.Collections.Concurrent;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Tests;

// What every test of a pull does: pull, look at what is there, run it.
[Collection(PullPeers.Name)]
public abstract class PullTest(PullPeers peers)
{
    private readonly ConcurrentQueue<PullProgress> _progress = new();

    protected PullPeers Peers => peers;

    protected ContainerdClient Client => peers.Client;

    protected IReadOnlyList<PullProgress> Progress => [.. _progress];

    protected Task<PullResult> PullAsync(
        ImageReference reference, string snapshotter = "overlayfs", CancellationToken cancellationToken = default) =>
        new ImagePull(Client, peers.RegistryClient, new PullOptions { Snapshotter = snapshotter })
            .RunAsync(reference, new Reporter(_progress), cancellationToken);

    protected async Task<string> RunAsync(ImageReference reference) =>
        (await peers.Containerd.RunAsync(reference.ToString(), "overlayfs")).Checked().Output;

    protected async Task<string> CtrAsync(params IEnumerable<string> arguments) =>
        (await peers.Containerd.CtrAsync(arguments)).Checked().Output;

    /// <summary>Lets containerd collect garbage and waits for it.</summary>
    protected async Task CollectGarbageAsync()
    {
        await CtrAsync("leases", "create", "--id", "collect");
        await CtrAsync("leases", "delete", "--sync", "collect");
    }

    /// <summary>A pull that failed left nothing: no name, no half-unpacked snapshot, no lease, nothing being written.</summary>
    protected async Task AssertNothingLeftAsync(ImageReference reference)
    {
        Assert.Null(await Client.Images.FindAsync(reference.ToString(), CancellationToken.None));
        Assert.DoesNotContain("extract-", await CtrAsync("snapshots", "list"), StringComparison.Ordinal);
        Assert.Empty(await CtrAsync("leases", "list", "--quiet"));
        await CollectGarbageAsync();
        Assert.DoesNotContain("sha256", await CtrAsync("content", "active"), StringComparison.Ordinal);
    }

    // Progress<T> would hand events to the thread pool and lose their order.
    private sealed class Reporter(ConcurrentQueue<PullProgress> events) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => events.Enqueue(value);
    }
}
