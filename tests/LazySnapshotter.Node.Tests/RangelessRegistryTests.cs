using System.IO.Compression;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Node.Tests;

// Layers on a registry that ignores or refuses ranges, read as the product reads them: each layer costs one request and its own size.
public sealed class RangelessRegistryTests : IAsyncLifetime
{
    private const int FileLength = 3_000_000;

    private TestNode _node = null!;

    public async Task InitializeAsync() =>
        _node = await TestNode.StartAsync(new RegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Twenty_scattered_reads_at_once_cost_one_request_and_the_blob_once()
    {
        _node.Registry.Faults.Add(IgnoresRange());
        await using var layer = await OpenAsync(seed: 1);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => layer.ReadAsync(FileLength / 20 * ((i * 7) % 20), 5000)));
        await layer.CompleteAsync();
        Assert.Equal(1, _node.Registry.Count(TestRequestKind.Blob));
        Assert.Equal(layer.Size, _node.Registry.BytesOf(TestRequestKind.Blob));
        await layer.ReadAsync(0, FileLength);

        // The next layer there: one request again, for which nobody had to find out first.
        await using var next = await OpenAsync(seed: 2);
        Assert.False(next.Source.GivesRanges);
        await Task.WhenAll(next.ReadAsync(FileLength - 5000, 5000), next.ReadAsync(100, 5000));
        await next.CompleteAsync();
        Assert.Equal(2, _node.Registry.Count(TestRequestKind.Blob));
        Assert.Equal(layer.Size + next.Size, _node.Registry.BytesOf(TestRequestKind.Blob));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(416)]
    public async Task Where_ranges_are_refused_a_layer_costs_the_refusal_and_the_blob_once(int status)
    {
        _node.Registry.Faults.Add(Fault.Status(status, TestRequestKind.Blob) with { When = request => request.Range is not null });
        await using var layer = await OpenAsync(seed: 5);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => layer.ReadAsync(FileLength / 20 * ((i * 7) % 20), 5000)));
        await layer.CompleteAsync();
        await layer.ReadAsync(0, FileLength);
        var requests = _node.Registry.Requests.Where(request => request.Kind == TestRequestKind.Blob).ToList();
        Assert.Equal([status, 200], requests.Select(request => request.StatusCode));
        Assert.Equal(layer.Size, requests[1].BytesSent);
    }

    [Fact]
    public async Task A_body_that_breaks_half_way_goes_on_where_the_host_lets_it()
    {
        await using var layer = await OpenAsync(seed: 3);
        var half = layer.Size / 2;
        _node.Registry.Faults.Add(IgnoresRange() with { TruncateAt = half, Times = 1 });
        await Task.WhenAll(layer.ReadAsync(0, 5000), layer.ReadAsync(FileLength - 5000, 5000));
        await layer.CompleteAsync();
        Assert.Equal(2, _node.Registry.Count(TestRequestKind.Blob));
        Assert.Equal(layer.Size, _node.Registry.BytesOf(TestRequestKind.Blob)); // the second time with a range
        await layer.ReadAsync(0, FileLength);
    }

    [Fact]
    public async Task A_reader_that_gives_up_leaves_the_body_to_the_next()
    {
        await using var layer = await OpenAsync(seed: 4);
        _node.Registry.Faults.Add(IgnoresRange() with { BytesPerSecond = 3_000_000 });
        using var impatient = new CancellationTokenSource();
        var first = layer.ReadAsync(FileLength - 5000, 5000, impatient.Token);
        while (_node.Registry.BytesOf(TestRequestKind.Blob) == 0)
            await Task.Delay(5);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await layer.ReadAsync(FileLength - 9000, 5000);
        await layer.CompleteAsync();
        Assert.Equal(1, _node.Registry.Count(TestRequestKind.Blob));
        Assert.Equal(layer.Size, _node.Registry.BytesOf(TestRequestKind.Blob));
    }

    private static Fault IgnoresRange() => new() { Kind = TestRequestKind.Blob, IgnoreRange = true };

    private async Task<Reading> OpenAsync(int seed)
    {
        var tar = new MemoryStream();
        var content = new byte[FileLength];
        new Random(seed).NextBytes(content);
        await using (var writer = new System.Formats.Tar.TarWriter(tar, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "file")
            {
                DataStream = new MemoryStream(content),
            });
        }

        var gzip = new MemoryStream();
        await using (var compressed = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
            compressed.Write(tar.ToArray());
        var layer = _node.AddLayer(gzip.ToArray());
        gzip.Position = 0;
        var index = await _node.Indexes.BuildAsync(layer.Digest, gzip, new LayerIndexOptions(), default);
        var source = new LayerBlobSource(layer.Digest);
        source.Add(_node.Reference, () => _node.Client.OpenBlob(_node.Reference, layer.Digest, layer.Size));
        return new Reading(_node.Blobs, index, source, tar.ToArray());
    }

    private sealed class Reading : IAsyncDisposable
    {
        private readonly byte[] _tar;
        private readonly LayerIndex _index;
        private readonly LayerBlob _blob;
        private readonly SpanFetcher _fetcher;
        private readonly SpanReader _reader;

        public Reading(BlobStore blobs, LayerIndex index, LayerBlobSource source, byte[] tar)
        {
            _tar = tar;
            _index = index;
            Source = source;
            _blob = blobs.Open(index.LayerDigest, index.Id, index.Spans);
            _fetcher = new SpanFetcher(_blob, source);
            _reader = new SpanReader(_blob, _fetcher, new SpanCache(), new SpanDecoder(index));
        }

        public LayerBlobSource Source { get; }

        public long Size => _index.Spans.CompressedLength;

        public async Task ReadAsync(int offset, int length, CancellationToken cancellationToken = default)
        {
            var buffer = new byte[length];
            Assert.Equal(length, await _reader.ReadAsync(offset, buffer, cancellationToken));
            Assert.True(buffer.AsSpan().SequenceEqual(_tar.AsSpan(offset, length)), $"{length} bytes at {offset} differ");
        }

        public async Task CompleteAsync()
        {
            for (var end = DateTime.UtcNow + TimeSpan.FromSeconds(30); !_blob.IsComplete; await Task.Delay(5))
                Assert.True(DateTime.UtcNow < end, "the layer did not become complete");
        }

        public async ValueTask DisposeAsync()
        {
            await _fetcher.DisposeAsync();
            _blob.Dispose();
            _index.Dispose();
        }
    }
}
