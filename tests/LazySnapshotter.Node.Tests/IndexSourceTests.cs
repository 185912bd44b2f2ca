using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Node.Tests;

// Which source a layer's index comes from, and what becomes of those that fail.
public sealed class IndexSourceTests : IAsyncLifetime
{

    private TestNode _node = null!;
    private byte[] _blob = [];
    private Descriptor _layer = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        var random = new Random(1);
        _blob = TestLayers.Blob([.. Enumerable.Range(0, 400)
            .Select(i => ($"file{i}", (string?)new string(random.GetItems<char>("abcdefghijklmnop", 20_000))))]);
        _layer = _node.AddLayer(_blob);
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Sources_are_asked_in_order_until_one_has_a_good_index()
    {
        var asked = new List<string>();
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(
            new Source("refuses", asked, () => throw new InvalidDataException("a lie")),
            new Source("has none", asked, () => Task.FromResult<ObtainedIndex?>(null)),
            new Source("is down", asked, () => throw new IOException("no connection")),
            build,
            new Source("never asked", asked, () => throw new InvalidOperationException()));

        var layer = await catalog.OpenAsync(_node.Origin, _layer.Digest, default);

        Assert.Equal(["refuses", "has none", "is down"], asked);
        Assert.Equal(_layer.Digest, layer.Digest);
        Assert.Same(layer, await catalog.OpenAsync(_node.Origin, _layer.Digest, default));
        Assert.Equal(3, asked.Count);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    public async Task An_index_of_another_version_is_left_alone_and_one_of_ours_is_built_beside_it(byte version)
    {
        (await _node.Indexes.BuildAsync(_layer.Digest, new MemoryStream(_blob), new LayerIndexOptions(), default)).Dispose();
        var path = _node.Indexes.FileOf(_layer.Digest);
        var now = await File.ReadAllBytesAsync(path);
        byte[] other = [.. now];
        other[8] = version;
        var otherPath = _node.Indexes.PathOf(_layer.Digest, new string('0', 64));
        await File.WriteAllBytesAsync(otherPath, other);
        _node.Indexes.SetVerified(_layer.Digest, new string('0', 64));
        File.Delete(path);
        var log = new CapturedLogs();
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(log, build);

        await catalog.OpenAsync(_node.Origin, _layer.Digest, default);

        Assert.DoesNotContain(log.Lines, line => line.Contains("damaged", StringComparison.Ordinal));
        Assert.Equal(now, await File.ReadAllBytesAsync(path));
        Assert.Equal(other, await File.ReadAllBytesAsync(otherPath));
    }

    [Fact]
    public async Task When_no_source_has_one_the_last_failure_is_told_and_the_next_attempt_asks_again()
    {
        var asked = new List<string>();
        await using var catalog = _node.Catalog(
            new Source("refuses", asked, () => throw new InvalidDataException("a lie")), new Source(
                "is down", asked, () => throw new IOException("no connection")));
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            var failure = await Assert.ThrowsAsync<IOException>(() => catalog.OpenAsync(_node.Origin, _layer.Digest, default));
            Assert.Equal("no connection", failure.Message);
            Assert.Equal(2 * attempt, asked.Count);
        }

        await using var without = _node.Catalog(new Source("has none", asked, () => Task.FromResult<ObtainedIndex?>(null)));
        var none = await Assert.ThrowsAsync<UnsupportedLayerException>(() => without.OpenAsync(_node.Origin, _layer.Digest, default));
        Assert.Contains("has none", none.Message, StringComparison.Ordinal);
        Assert.Empty(_node.Registry.Requests);
    }

    [Fact]
    public async Task Spans_that_an_index_wants_warm_are_fetched_without_a_read()
    {
        var index = await _node.Indexes.BuildAsync(
            _layer.Digest, new MemoryStream(_blob), new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(512 << 10) }, default);
        Assert.True(index.Spans.Count > 4, $"{index.Spans.Count} spans are too few for this test");
        File.Delete(_node.Indexes.FileOf(_layer.Digest));
        var warm = new SpanRangeToWarm(new SpanId(1), new SpanId(2));
        await using var catalog = _node.Catalog(
            new Source("warm", [], () => Task.FromResult<ObtainedIndex?>(new ObtainedIndex(index, [warm]))));

        await catalog.OpenAsync(_node.Origin, _layer.Digest, default);

        var expected = index.Spans[warm.Last].CompressedEnd - index.Spans[warm.First].CompressedOffset;
        for (var waited = 0; _node.Registry.BytesOf(TestRequestKind.Blob) < expected; waited++)
        {
            Assert.True(waited < 200, $"after 10 s {_node.Registry.BytesOf(TestRequestKind.Blob)} of {expected} bytes were fetched");
            await Task.Delay(50);
        }

        Assert.Equal(expected, _node.Registry.BytesOf(TestRequestKind.Blob));
    }

    private sealed class Source(string name, List<string> asked, Func<Task<ObtainedIndex?>> obtain) : ILayerIndexSource
    {
        public string Name => name;

        public Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
        {
            asked.Add(name);
            return obtain();
        }
    }
}
