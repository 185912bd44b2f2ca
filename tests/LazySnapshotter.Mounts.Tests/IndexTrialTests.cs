using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Store;
using LazySnapshotter.Mounts.Library;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Mounts.Tests;

// Index and registry contradict each other: who lies, and what becomes of the index.
public sealed class IndexTrialTests : IAsyncLifetime
{
    private const string Repository = "test/image";
    private const int FileLength = 300_000;

    private readonly TestDirectory _directory = TestDirectory.Create();
    private TestRegistry _registry = null!;
    private RegistryClient _client = null!;
    private LayerIndexStore _indexes = null!;
    private BlobStore _blobs = null!;
    private Descriptor _layer = null!;

    private LayerOrigin Origin => new(_registry.Reference(Repository), Manifest: null);

    public async Task InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        _client = new RegistryClient(new RegistryOptions { RetryLimit = 0 }, NullLogger.Instance);
        _indexes = new LayerIndexStore(_directory.Path);
        _blobs = BlobStore.Open(_directory.Path);
        _layer = _registry.Content.AddBlob(Repository, Blob(1));
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        _blobs.Dispose();
        await _registry.DisposeAsync();
        await _directory.DisposeAsync();
    }

    [Fact]
    public async Task A_lying_zTOC_gives_no_bytes_and_the_next_mount_takes_the_next_source()
    {
        // Made of another layer that happens to be as long.
        Assert.Equal(Blob(1).Length, Blob(2).Length);
        using var build = Build();
        await using var library = Library(new Lying(Blob(2), _layer, _indexes), build);
        var first = await library.OpenAsync(Origin, _layer.Digest, default);
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(first));

        var second = await library.OpenAsync(Origin, _layer.Digest, default);

        Assert.NotEqual(first.Index.Id, second.Index.Id);
        Assert.Equal(Content(1), await ReadAsync(second));
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(first));
        Assert.True(File.Exists(_indexes.PathOf(_layer.Digest) + ".damaged"));
        Assert.Same(second, await library.OpenAsync(Origin, _layer.Digest, default));
    }

    [Fact]
    public async Task A_registry_that_gives_wrong_bytes_costs_nobody_a_good_index()
    {
        using var build = Build();
        (await _indexes.BuildAsync(_layer.Digest, new MemoryStream(Blob(1)), new LayerIndexOptions(), default)).Dispose();
        await using var library = Library(build);
        _registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, CorruptAt = 1000 });
        var layer = await library.OpenAsync(Origin, _layer.Digest, default);
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(layer));

        // No verdict while it goes on lying; acquitted as soon as the whole blob is right.
        Assert.Same(layer, await library.OpenAsync(Origin, _layer.Digest, default));
        Assert.False(_blobs.IsComplete(_layer.Digest));
        _registry.Faults.Clear();
        Assert.Same(layer, await library.OpenAsync(Origin, _layer.Digest, default));

        Assert.True(_blobs.IsComplete(_layer.Digest));
        Assert.Equal(Content(1), await ReadAsync(layer));
        Assert.True(_indexes.Contains(_layer.Digest));
        Assert.False(File.Exists(_indexes.PathOf(_layer.Digest) + ".damaged"));
    }

    private static byte[] Content(int seed)
    {
        var content = new byte[FileLength];
        new Random(seed).NextBytes(content);
        return content;
    }

    // Not compressed, so that its length does not depend on its content.
    private static byte[] Blob(int seed)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.NoCompression, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "file") { DataStream = new MemoryStream(Content(seed)), ModificationTime = DateTimeOffset.UnixEpoch });
        return blob.ToArray();
    }

    private static async Task<byte[]> ReadAsync(LazyLayer layer)
    {
        Assert.True(layer.Toc.TryFind(0, "file"u8, out var entry));
        var bytes = new byte[FileLength];
        Assert.Equal(FileLength, await layer.ReadAsync(entry, 0, bytes, default));
        return bytes;
    }

    private StreamedIndexSource Build() => new(_client, _indexes, _blobs, 1, NullLoggerFactory.Instance);

    private LayerLibrary Library(params ILayerIndexSource[] sources) =>
        new(_indexes, _blobs, _client, new SpanCache(), new LayerLibraryOptions { Sources = sources }, NullLoggerFactory.Instance);

    private sealed class Lying(byte[] other, Descriptor layer, LayerIndexStore indexes) : ILayerIndexSource
    {
        public string Name => "lying";

        public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest digest, string? identity, CancellationToken cancellationToken)
        {
            using var ztoc = new MemoryStream();
            await ZtocBuilder.BuildAsync(new MemoryStream(other), ztoc, new ZtocOptions { SpanLength = 64 << 10 }, cancellationToken);
            ZtocImport.WriteIndex(Ztoc.Parse(ztoc.ToArray()), layer, indexes.PathOf(digest), new ZtocImportOptions());
            return new ObtainedIndex(indexes.TryOpen(digest, out _)!, []);
        }
    }
}
