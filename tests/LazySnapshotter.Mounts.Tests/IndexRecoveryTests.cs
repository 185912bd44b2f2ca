using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Linux;
using LazySnapshotter.Node.Tests;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Mounts.Tests;

// An index that goes away, or breaks, under a layer that is mounted by it.
public sealed class IndexRecoveryTests : IAsyncLifetime
{

    private TestNode _node = null!;
    private readonly List<IDisposable> _clients = [];
    private MetadataDatabase _database = null!;
    private byte[] _blob = [];
    private Descriptor _layer = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _database = MetadataDatabase.Open(Path.Combine(_node.Directory.Path, "metadata.db"));
        var random = new Random(1);
        _blob = TestLayers.Blob([.. Enumerable.Range(0, 200)
            .Select(i => ($"file{i}", (string?)new string(random.GetItems<char>("abcdefghijklmnop", 20_000))))]);
        _layer = _node.AddLayer(_blob);
    }

    public async Task DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        _database.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_slot_whose_index_is_missing_is_EIO_until_the_same_index_is_here_again()
    {
        var slot = await MountAsync();
        File.Delete(_node.Indexes.FileOf(_layer.Digest));

        // As a new process, whose registry is down at first.
        _node.Registry.Faults.Add(Fault.Status(503));
        await using var catalog = Catalog(Build());
        using var mounter = Mounter(catalog);
        await Assert.ThrowsAsync<IOException>(() => mounter.LookAsync(slot));
        await Assert.ThrowsAsync<IOException>(() => mounter.LookAsync(slot));
        _node.Registry.Faults.Clear();

        await UntilShownAsync(mounter, slot);
    }

    [Fact]
    public async Task A_source_that_has_no_index_now_is_asked_again()
    {
        var slot = await MountAsync();
        var kept = await File.ReadAllBytesAsync(_node.Indexes.FileOf(_layer.Digest));
        File.Delete(_node.Indexes.FileOf(_layer.Digest));

        var asked = 0;
        await using var catalog = Catalog(new Published(async () => ++asked < 3
            ? null
            : await _node.Indexes.AddAsync(_layer.Digest, new MemoryStream(kept), _node.Reference.Name, expectedId: null, default)));
        using var mounter = Mounter(catalog);
        await Assert.ThrowsAsync<IOException>(() => mounter.LookAsync(slot));
        await UntilAsync(() => asked == 3); // without another look
        await UntilShownAsync(mounter, slot);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_slot_is_never_shown_by_another_index_and_the_layer_is_not_streamed_again_and_again()
    {
        var slot = await MountAsync(CheckpointPlacement.Uniform(64 << 10));
        File.Delete(_node.Indexes.FileOf(_layer.Digest));

        await using var catalog = Catalog(Build());
        using var mounter = Mounter(catalog);
        await Assert.ThrowsAsync<IOException>(() => mounter.LookAsync(slot));
        await UntilAsync(() => _node.Indexes.Contains(_layer.Digest));

        for (var i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<IOException>(() => mounter.LookAsync(slot));
            await Task.Delay(10);
        }

        Assert.Single(_node.Registry.Requests, request => request.Kind == TestRequestKind.Blob);
    }

    [Fact]
    public async Task Damage_found_while_a_layer_is_open_is_mended_in_the_background()
    {
        var client = Client();
        await using var catalog = new LayerCatalog(
            _node.Indexes, _node.Blobs, client, new SpanCache(), Options(Build(client)), NullLoggerFactory.Instance);
        var layer = await catalog.OpenAsync(Origin, _layer.Digest, default);
        var window = Enumerable.Range(0, layer.Index.Spans.Count)
            .Select(i => new SpanId(i)).First(span => layer.Index.WindowLengthOf(span) > 0);

        // Behind the front lie windows and nothing else.
        using (var file = File.OpenHandle(_node.Indexes.FileOf(_layer.Digest), FileMode.Open, FileAccess.Write))
            RandomAccess.Write(file, new byte[layer.Index.FileLength - layer.Index.FrontLength - 100], layer.Index.FrontLength);
        Assert.Throws<InvalidDataException>(() => layer.Index.LoadWindow(window));

        await UntilAsync(() => _node.Indexes.Contains(_layer.Digest));
        Assert.NotEqual(0, layer.Index.LoadWindow(window).Length);
        Assert.Single(IndexFiles.Damaged(_node.Directory.Path));
    }

    [Fact]
    public async Task An_index_that_came_by_its_front_is_completed_although_the_registry_fails_in_between()
    {
        var elsewhere = new LayerIndexStore(_node.Directory.MakeDirectory("elsewhere"));
        byte[] file;
        using (await elsewhere.BuildAsync(
            _layer.Digest, new MemoryStream(_blob), new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(32 << 10) }, default))
            file = await File.ReadAllBytesAsync(elsewhere.FileOf(_layer.Digest));
        var published = _node.AddLayer(file);
        var front = LayerIndex.Open(elsewhere.FileOf(_layer.Digest));
        Assert.True(file.Length - front.FrontLength > 256 << 10, $"all but {file.Length - front.FrontLength} bytes are front");
        var breaksAt = (int)front.FrontLength + 100_000;
        front.Dispose();

        var client = Client();
        await using var catalog = Catalog(new Published(async () => await _node.Indexes.AddRemoteAsync(
            _layer.Digest, client.OpenBlob(
                _node.Reference, published.Digest, published.Size), published.Size, _node.Reference.Name, expectedId: null, default)));
        _node.Registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, ResetAt = breaksAt, Times = 1 });
        _node.Registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, After = 1, StatusCode = 503, Times = 3 });
        await catalog.OpenAsync(Origin, _layer.Digest, default);

        await UntilAsync(() => _node.Indexes.Contains(_layer.Digest));
        Assert.Equal(file, await File.ReadAllBytesAsync(_node.Indexes.FileOf(_layer.Digest)));
    }

    private LayerOrigin Origin => new(_node.Reference, Manifest: null);

    private static Task UntilShownAsync(LayerMounter mounter, long slot) =>
        UntilAsync(async () => await mounter.LookAsync(slot) == Errno.None);

    private static Task UntilAsync(Func<bool> isSo) => UntilAsync(() => Task.FromResult(isSo()));

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var waited = 0; ; waited++)
        {
            try
            {
                if (await isSo())
                    return;
            }
            catch (IOException) when (waited < 400)
            {
                // Not yet.
            }

            Assert.True(waited < 400, "not within 20 s");
            await Task.Delay(50);
        }
    }

    // What an earlier process left: a slot in the database, and the index it was made with.
    private async Task<long> MountAsync(CheckpointPlacement? placement = null)
    {
        var options = placement is null ? new LayerIndexOptions() : new LayerIndexOptions { Placement = placement };
        (await _node.Indexes.BuildAsync(_layer.Digest, new MemoryStream(_blob), options, default)).Dispose();
        await using var catalog = Catalog();
        using var mounter = Mounter(catalog);
        return (await mounter.MountAsync(
            new RemoteImage(_node.Reference.ToString(), null, [_layer.Digest]), TestClaims.Of(_blob), [], default)).Id;
    }

    private LayerMounter Mounter(LayerCatalog catalog) => new("/nowhere", catalog, new SlotStore(_database), NullLoggerFactory.Instance);

    private LayerCatalog Catalog(params ILayerIndexSource[] sources) =>
        new(_node.Indexes, _node.Blobs, Client(), new SpanCache(), Options(sources), NullLoggerFactory.Instance);

    private static LayerCatalogOptions Options(params ILayerIndexSource[] sources) =>
        new() { Sources = sources, Retrying = new BackoffTimes(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100)) };

    private StreamedIndexSource Build(RegistryClient? client = null)
    {
        var source = new StreamedIndexSource(client ?? Client(), _node.Indexes, _node.Blobs, 1, NullLoggerFactory.Instance);
        _clients.Add(source);
        return source;
    }

    private RegistryClient Client()
    {
        var client = new RegistryClient(new RegistryOptions { RetryLimit = 0 }, NullLogger.Instance);
        _clients.Add(client);
        return client;
    }

    private sealed class Published(Func<Task<LayerIndex?>> open) : ILayerIndexSource
    {
        public string Name => "published";

        public async Task<ObtainedIndex?> ObtainAsync(
            LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken) =>
            await open() is { } index ? new(index, []) : null;
    }
}
