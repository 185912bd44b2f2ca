using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Containerd.Tests;

// One containerd and one registry for all tests of pulls. Images differ in every layer, so tests do not meet in the
// namespace they share.
[CollectionDefinition(Name)]
public sealed class PullPeers : ICollectionFixture<PullPeers>, IAsyncLifetime
{
    public const string Name = "containerd and registry";

    private readonly TestDirectory _directory = TestDirectory.Create();

    public ContainerdProcess Containerd { get; private set; } = null!;

    public ContainerdClient Client { get; private set; } = null!;

    public TestRegistry Registry { get; private set; } = null!;

    public RegistryClient RegistryClient { get; } = new(new RegistryOptions(), NullLogger.Instance);

    /// <summary>containerd's proxy plugin <see cref="ContainerdProcess.PluginName"/>.</summary>
    public AnsweringSnapshotter Snapshotter { get; } = new();

    public async Task InitializeAsync()
    {
        var socket = _directory.Combine("s.sock");
        await Snapshotter.StartAsync(socket, _directory.MakeDirectory("unpacked"));
        Containerd = await ContainerdProcess.StartAsync(new ContainerdOptions { SnapshotterAddress = socket });
        Client = new ContainerdClient(Containerd.Address, Containerd.Namespace);
        Registry = await TestRegistry.StartAsync();
    }

    public async Task DisposeAsync()
    {
        RegistryClient.Dispose();
        Client.Dispose();
        await Registry.DisposeAsync();
        await Containerd.DisposeAsync();
        await Snapshotter.DisposeAsync();
        await _directory.DisposeAsync();
    }
}
