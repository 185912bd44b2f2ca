using System.Collections.Concurrent;
using LazySnapshotter.Daemon.Containerd;
using LazySnapshotter.Daemon.Pull;
using LazySnapshotter.Daemon.Tests.Containerd;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Daemon.Tests.Pull;

// One containerd and one registry for all tests of pulls.
[CollectionDefinition(Name)]
public sealed class PullPeers : ICollectionFixture<TestContainerd>, ICollectionFixture<TestRegistryServer>
{
    public const string Name = "containerd and registry";
}

// What every test of a pull does: pull into a namespace of its own, look at what is there, run it.
[Collection(PullPeers.Name)]
public abstract class PullFixture(TestContainerd containerd, TestRegistryServer registry) : IDisposable
{
    private readonly ConcurrentQueue<PullProgress> _progress = new();
    private readonly RegistryClient _registryClient = new(new RegistryOptions(), NullLogger.Instance);

    protected TestContainerd Containerd => containerd;

    protected TestRegistryServer Registry => registry;

    // One namespace per test: what one has is not there for another.
    protected ContainerdClient Client { get; } = new(containerd.Address, "test-" + Guid.NewGuid().ToString("N")[..8]);

    protected IReadOnlyList<PullProgress> Progress => [.. _progress];

    public void Dispose()
    {
        Client.Dispose();
        _registryClient.Dispose();
        GC.SuppressFinalize(this);
    }

    protected Task<PullResult> PullAsync(ImageReference reference, string snapshotter = "overlayfs", CancellationToken cancellationToken = default) =>
        new ImagePull(Client, _registryClient, new PullOptions { Snapshotter = snapshotter })
            .RunAsync(reference, new Reporter(_progress), cancellationToken);

    protected Task<string> RunAsync(ImageReference reference) => CtrAsync("run", "--rm", reference.ToString(), "c-" + Guid.NewGuid().ToString("N")[..8]);

    protected Task<string> CtrAsync(params string[] arguments) => containerd.CtrAsync(["--namespace", Client.NamespaceName, .. arguments]);

    /// <summary>A pull that failed left nothing: no name, no half-unpacked snapshot, no lease, nothing being written.</summary>
    protected async Task AssertNothingLeftAsync(ImageReference reference)
    {
        Assert.Null(await Client.Images.FindAsync(reference.ToString(), CancellationToken.None));
        Assert.DoesNotContain("extract-", await CtrAsync("snapshots", "list"), StringComparison.Ordinal);
        Assert.Empty(await CtrAsync("leases", "list", "--quiet"));
        await containerd.CollectGarbageAsync(Client.NamespaceName);
        Assert.DoesNotContain("sha256", await CtrAsync("content", "active"), StringComparison.Ordinal);
    }

    // Progress<T> would hand events to the thread pool and lose their order.
    private sealed class Reporter(ConcurrentQueue<PullProgress> events) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => events.Enqueue(value);
    }
}
