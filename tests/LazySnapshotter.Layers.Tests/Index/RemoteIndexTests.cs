using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Layers.Tests.Store;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Index;

// An index that is read while it is still on its way: usable after its front, kept when all of it is right.
public sealed class RemoteIndexTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private readonly TestFolder _folder = new();
    private readonly LayerIndexStore _store;
    private readonly BuiltLayer _layer = LargeLayer.Value;

    public RemoteIndexTests() => _store = new LayerIndexStore(_folder.Path);

    // Noise that repeats after almost 32 KiB: every block refers to all that came before it, so that each of the 60 windows
    // is whole, and noise does not pack. An index of more than a megabyte.
    private static readonly Lazy<BuiltLayer> LargeLayer = new(() =>
    {
        var noise = new byte[32_000];
        new Random(77).NextBytes(noise);
        var content = string.Create(4_000_000, noise, static (characters, noise) =>
        {
            for (var i = 0; i < characters.Length; i++)
                characters[i] = (char)noise[i % noise.Length];
        });
        var tar = new TestTar().Add("large", data: content).Add("small", data: "small").End();
        return BuiltLayer.Of(TestGzip.Frame(tar, TestGzip.Flushed(tar, 60_000)), spanLength: 60_000);
    });

    private byte[] File => System.IO.File.ReadAllBytes(_layer.Path);

    private Digest Layer => _layer.Index.LayerDigest;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_front_and_the_rest_are_one_request()
    {
        var server = Server();
        using var index = await AddAsync(server);
        Assert.Equal(_layer.Index.Id, index.Id);
        Assert.Equal(_layer.Toc.Count, index.Toc.Count);
        await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);

        Assert.Equal(File, System.IO.File.ReadAllBytes(_store.FileOf(Layer)));
        Assert.Single(server.Requests);
        Assert.Equal(File.Length, server.BytesSent);
        AssertAllWindows(index);
        index.VerifyWindows();
        Assert.Single(Files());
        using var local = _store.TryOpen(Layer, out _);
        Assert.NotNull(local);
    }

    [Fact]
    public async Task With_the_front_read_the_rest_is_no_hurry()
    {
        var answer = new TaskCompletionSource();
        var server = Server().Then(new Fault { Answer = answer.Task, StallAfter = Front + 1000 });
        var adding = AddAsync(server);
        Assert.Equal(ReadUrgency.Metadata, server.Priorities[0].Urgency);
        answer.SetResult();
        using var index = await adding.WaitAsync(Soon);
        Assert.Equal(ReadUrgency.Predicted, server.Priorities[0].Urgency);
    }

    [Fact]
    public async Task A_small_index_is_one_request()
    {
        using var small = BuiltLayer.Of(TestGzip.Member(GzipProducerTests.RandomTar(seed: 3, length: 10_000)));
        var bytes = System.IO.File.ReadAllBytes(small.Path);
        var server = new BlobServer(bytes, Digest.OfSha256(bytes));
        using var index = await _store.AddRemoteAsync(
            small.Index.LayerDigest, server, bytes.Length, "registry.example/image", expectedId: null, CancellationToken.None);
        await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_window_far_behind_the_frontier_is_fetched_by_itself()
    {
        var release = new TaskCompletionSource();
        var server = Server().Then(new Fault { StallAfter = Front + 1000, Release = release.Task });
        using var index = await AddAsync(server);
        var last = new SpanId(index.Spans.Count - 1);
        var decoder = new SpanDecoder(index);
        Assert.False(decoder.IsReady(last));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => decoder.PrepareAsync(last, CancellationToken.None).AsTask())).WaitAsync(Soon);

        Assert.True(decoder.IsReady(last));
        Assert.Equal(_layer.Index.LoadWindow(last).ToArray(), index.LoadWindow(last).ToArray());
        Assert.Equal(2, server.Requests.Count);
        Assert.False(_store.Contains(Layer));
        release.SetResult();
        await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);
        Assert.Equal(File, System.IO.File.ReadAllBytes(_store.FileOf(Layer)));
    }

    [Fact]
    public async Task A_window_near_the_frontier_is_waited_for()
    {
        var server = Server().Then(new Fault { ChunkBytes = 10_000, ChunkDelay = TimeSpan.FromMilliseconds(5) });
        using var index = await AddAsync(server);
        await index.FetchWindowAsync(new SpanId(2), CancellationToken.None).AsTask().WaitAsync(Soon);
        Assert.Equal(_layer.Index.LoadWindow(new SpanId(2)).ToArray(), index.LoadWindow(new SpanId(2)).ToArray());
        await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_transfer_that_brings_nothing_is_not_waited_for_long()
    {
        var server = Server().Then(new Fault { StallAfter = Front });
        using var index = await AddAsync(server);
        await index.FetchWindowAsync(new SpanId(1), CancellationToken.None).AsTask().WaitAsync(Soon);
        Assert.Equal(_layer.Index.LoadWindow(new SpanId(1)).ToArray(), index.LoadWindow(new SpanId(1)).ToArray());
    }

    [Fact]
    public async Task A_transfer_that_failed_goes_on_where_it_stopped_when_it_is_needed()
    {
        var asked = new TaskCompletionSource();
        var stop = Front + 200_000;
        var server = Server()
            .Then(new Fault { StallAfter = stop, Release = asked.Task, ErrorAfter = stop }).Then(new Fault { OpenError = "down" });
        using var index = await AddAsync(server);
        var all = index.FetchAllAsync(CancellationToken.None);
        asked.SetResult();
        Assert.Contains("reset", (await Assert.ThrowsAsync<IOException>(() => all.WaitAsync(Soon))).Message, StringComparison.Ordinal);
        Assert.Contains("down", (await Assert.ThrowsAsync<IOException>(
            () => index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon))).Message, StringComparison.Ordinal);
        Assert.False(_store.Contains(Layer));
        await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);
        Assert.True(server.Requests[^1].Offset > _layer.Index.FrontLength + 100_000);
        Assert.Equal(File, System.IO.File.ReadAllBytes(_store.FileOf(Layer)));
        AssertAllWindows(index);
    }

    [Fact]
    public async Task With_the_source_gone_a_read_fails_and_the_next_one_works()
    {
        var server = Server().Then(new Fault { ErrorAfter = Front });
        server.Standing = new Fault { OpenError = "no route to host" };
        using var index = await AddAsync(server);
        var span = new SpanId(30);
        var failure = await Assert.ThrowsAsync<IOException>(
            () => index.FetchWindowAsync(span, CancellationToken.None).AsTask().WaitAsync(Soon));
        Assert.Contains("no route", failure.Message, StringComparison.Ordinal);
        server.Standing = Fault.None;
        await index.FetchWindowAsync(span, CancellationToken.None).AsTask().WaitAsync(Soon);
        Assert.Equal(_layer.Index.LoadWindow(span).ToArray(), index.LoadWindow(span).ToArray());
    }

    [Fact]
    public async Task Wrong_bytes_are_noticed_wherever_they_are()
    {
        // In a window as it passes, in a window fetched by itself, in the footer.
        var passing = new TaskCompletionSource();
        var server = Server().Then(new Fault { CorruptAt = Front + 100_000, StallAfter = Front + 1000, Release = passing.Task })
            .Then(new Fault { CorruptAt = 100 });
        using (var index = await AddAsync(server))
        {
            var fetching = index.FetchAllAsync(CancellationToken.None);
            passing.SetResult();
            Assert.Contains(
                "index, window of span", (await Assert.ThrowsAsync<IOException>(() => fetching.WaitAsync(Soon))).Message,
                StringComparison.Ordinal);
            server.Then(new Fault { CorruptAt = 100 });
            _ = await Assert.ThrowsAsync<IOException>(() => index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon));
        }

        foreach (var (at, part) in ((int, string)[])[(
            1, "footer: wrong magic"), (10, "footer: its layer"), (LayerIndexFooter.Length, "footer: the file's checksum")])
        {
            // The transfer does not end before somebody waits for it: it would be begun anew.
            var release = new TaskCompletionSource();
            server = Server().Then(new Fault { CorruptAt = File.Length - at, StallAfter = Front + 1000, Release = release.Task });
            using var index = await AddAsync(server);
            var fetching = index.FetchAllAsync(CancellationToken.None);
            release.SetResult();
            var failure = await Assert.ThrowsAsync<IOException>(() => fetching.WaitAsync(Soon));
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
            Assert.False(_store.Contains(Layer));
            await index.FetchAllAsync(CancellationToken.None).WaitAsync(Soon);
            System.IO.File.Delete(_store.FileOf(Layer));
        }

        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_front_that_is_wrong_leaves_nothing()
    {
        var other = Digest.OfSha256("other"u8);
        Assert.Contains("belongs to layer", (await Assert.ThrowsAsync<InvalidDataException>(() =>
            _store.AddRemoteAsync(other, Server(), File.Length, "registry.example/image", expectedId: null,
                CancellationToken.None))).Message, StringComparison.Ordinal);
        foreach (var (at, part) in ((int, string)[])[(3, "header: not an index"), (8, "header: version"),
            (100, "header: the header's checksum"), (LayerIndexHeader.Length + 2, "TOC section: the checksum")])
        {
            var failure = await Assert.ThrowsAsync<InvalidDataException>(() => AddAsync(Server().Then(new Fault { CorruptAt = at })));
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        }

        Assert.Contains("cut short", (await Assert.ThrowsAsync<InvalidDataException>(() =>
            _store.AddRemoteAsync(Layer, Server(), File.Length - 1, "registry.example/image", expectedId: null,
                CancellationToken.None))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => _store.AddRemoteAsync(Layer, Server(), 10, "registry.example/image", expectedId: null, CancellationToken.None));
        await Assert.ThrowsAnyAsync<IOException>(() => AddAsync(Server().Then(new Fault { EndAfter = 1000 })));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Closing_an_index_on_its_way_leaves_nothing()
    {
        var server = Server().Then(new Fault { StallAfter = Front + 100_000 });
        var index = await AddAsync(server);
        var waiting = index.FetchAllAsync(CancellationToken.None);
        index.Dispose();
        await Assert.ThrowsAsync<IOException>(() => waiting.WaitAsync(Soon));
        Assert.Empty(Files());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => index.FetchWindowAsync(new SpanId(40), CancellationToken.None).AsTask().WaitAsync(Soon));
    }

    private BlobServer Server() => new(File, Digest.OfSha256(File));

    private int Front => (int)_layer.Index.FrontLength;

    private Task<LayerIndex> AddAsync(BlobServer server) =>
        _store.AddRemoteAsync(Layer, server, File.Length, "registry.example/image", expectedId: null, CancellationToken.None);

    // Who published an index is noted as soon as its front is here.
    private string[] Files() =>
        [.. Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith(".from", StringComparison.Ordinal))];

    private void AssertAllWindows(LayerIndex index)
    {
        for (var i = 0; i < index.Spans.Count; i++)
            Assert.Equal(_layer.Index.LoadWindow(new SpanId(i)).ToArray(), index.LoadWindow(new SpanId(i)).ToArray());
    }
}
