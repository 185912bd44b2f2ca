using LazySnapshotter.Fuse;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.TestSupport.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Mounts.Tests;

// The node's filesystem at a real mount, with slots of an earlier process that are opened when somebody looks into them.
public sealed class LayerFileSystemTests : IAsyncLifetime
{
    private readonly TestLayers _layers = new();
    private readonly TestDirectory _directory = TestDirectory.Create();
    private readonly Dictionary<long, TaskCompletionSource<LayerDirectory?>> _opening = [];
    private LazyLayer _layer = null!;
    private LayerFileSystem _fileSystem = null!;
    private FuseSession _session = null!;

    public async Task InitializeAsync()
    {
        _layer = await _layers.LayerAsync(("a", "content of a"));
        _fileSystem = new LayerFileSystem(slot => _opening[slot].Task);
        for (var slot = 1; slot <= 3; slot++)
        {
            _opening[slot] = new TaskCompletionSource<LayerDirectory?>();
            _fileSystem.Register(slot);
        }

        _session = await FuseSession.StartAsync(
            FuseMount.Create(_directory.Path, new FuseMountOptions()), _fileSystem, new FuseSessionOptions { ReaderThreads = 1 },
            NullLogger.Instance);
    }

    public async Task DisposeAsync()
    {
        await _session.DisposeAsync();
        await _layers.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [Fact]
    public async Task A_layer_that_is_being_opened_keeps_nobody_waiting_but_who_looks_into_it()
    {
        var slow = Task.Run(() => File.ReadAllText(PathOf(1)));
        Open(2);
        Assert.Equal("content of a", await File.ReadAllTextAsync(PathOf(2)).WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(slow.IsCompleted);
        Open(1);
        Assert.Equal("content of a", await slow.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task The_root_is_listed_without_opening_what_it_lists()
    {
        var names = await Task.Run(() => Directory.GetDirectories(_directory.Path)).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["1", "2", "3"], names.Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_layer_that_cannot_be_opened_is_tried_again_and_spoils_no_listing()
    {
        _opening[3].SetException(new IOException("its index is not here"));
        var e = await Assert.ThrowsAnyAsync<IOException>(() => File.ReadAllTextAsync(PathOf(3)));
        Assert.Contains("Input/output error", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetDirectories(_directory.Path).Length);

        _opening[3] = new TaskCompletionSource<LayerDirectory?>();
        Open(3);
        Assert.Equal("content of a", await File.ReadAllTextAsync(PathOf(3)));
    }

    [Fact]
    public async Task A_slot_that_is_gone_is_forgotten_by_the_kernel_when_it_is_told()
    {
        Open(1);
        Assert.Equal("content of a", await File.ReadAllTextAsync(PathOf(1)));
        _fileSystem.Remove(1);
        _session.InvalidateEntry(NodeId.Root, "1"u8);
        Assert.False(Directory.Exists(Path.Combine(_directory.Path, "1")));
    }

    private string PathOf(long slot) => Path.Combine(_directory.Path, $"{slot}", "a");

    private void Open(long slot) => _opening[slot].SetResult(new LayerDirectory(slot, _layer, ImplicitDirectories.None));
}
