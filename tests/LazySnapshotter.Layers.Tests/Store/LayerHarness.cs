using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.TestSupport.Logging;

namespace LazySnapshotter.Layers.Tests.Store;

// A layer being read as the product composes it: store, fetcher, cache, reader, over a blob server.
internal sealed class LayerHarness : IAsyncDisposable
{
    public LayerHarness(
        TestLayer layer, string root, BlobServer? server =
            null, SpanFetcherOptions? options = null, SpanCache? cache = null, SpanDecode? decode = null,
        ISpanDecoder? decoder = null)
    {
        Layer = layer;
        Server = server ?? layer.Serve();
        Store = BlobStore.Open(root, Log);
        Blob = Store.Open(layer.Digest, "test", layer.Spans);
        Fetcher = new SpanFetcher(Blob, Server, options ?? NoNeighbours, Link);
        Cache = cache ?? new SpanCache();
        Reader = new SpanReader(Blob, Fetcher, Cache, decoder ?? new DelegateDecoder(decode ?? TestLayer.Decode));
    }

    public static SpanFetcherOptions NoNeighbours { get; } = new() { NeighbourBytesMax = 0, FileBytesMax = 0, RestBytesMax = 0 };

    public static SpanFetcherOptions NoReadAhead { get; } = NoNeighbours with { ReadAheadBytesMax = 0 };

    public TestLayer Layer { get; }

    public BlobServer Server { get; }

    public CapturedLogs Log { get; } = new();

    public LinkEstimate Link { get; } = new();

    public BlobStore Store { get; }

    public LayerBlob Blob { get; }

    public SpanFetcher Fetcher { get; }

    public SpanCache Cache { get; }

    public SpanReader Reader { get; }

    public LayerReadStatistics Statistics => Store.Statistics;

    public string SparsePath => Path.Combine(Store.Directory, "sha256", $"{Layer.Digest.Hex}.{Blob.IndexId}.sparse");

    /// <summary>Reads and compares with the original.</summary>
    public async Task ReadAndCompareAsync(long offset, int length, CancellationToken cancellationToken = default)
    {
        var buffer = new byte[length];
        var read = await Reader.ReadAsync(offset, buffer, cancellationToken);
        Assert.Equal(Math.Min(length, Layer.Tar.Length - offset), read);
        Assert.True(buffer.AsSpan(0, read).SequenceEqual(Layer.Tar.AsSpan((int)offset, read)), $"{length} bytes at {offset} differ");
    }

    public Task ReadSpanAsync(int span, CancellationToken cancellationToken = default) =>
        ReadAndCompareAsync(Layer.StartOf(span), Layer.TarOf(span).Length, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Fetcher.DisposeAsync();
        Blob.Dispose();
        Store.Dispose();
    }
}

internal delegate void SpanDecode(SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination);

// Decodes as told, at once.
internal sealed class DelegateDecoder(SpanDecode decode) : ISpanDecoder
{
    public bool IsReady(SpanId span) => true;

    public ValueTask PrepareAsync(SpanId span, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public void Decode(SpanId span, SpanHistory history, ReadOnlySpan<byte> compressed, Span<byte> destination) =>
        decode(span, compressed, destination);

    public void Start(SpanId span, SpanHistory history, long uncompressedLength) => throw new NotSupportedException();
}

// A directory that is gone when the test is over.
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("layers-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
