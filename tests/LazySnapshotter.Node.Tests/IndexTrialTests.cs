using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Node.Tests;

// Index and registry contradict each other: who lies, and what becomes of the index.
public sealed class IndexTrialTests : IAsyncLifetime
{
    private const int FileLength = 300_000;

    private TestNode _node = null!;
    private Descriptor _layer = null!;

    public async Task InitializeAsync()
    {
        _node = await TestNode.StartAsync();
        _layer = _node.AddLayer(Blob(1));
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task A_lying_zTOC_gives_no_bytes_and_the_next_mount_takes_the_next_source()
    {
        // Made of another layer that happens to be as long.
        Assert.Equal(Blob(1).Length, Blob(2).Length);
        using var build = _node.Builder();
        await using var catalog = _node.Catalog(new Lying(Blob(2), _layer, _node.Indexes), build);
        var first = await catalog.OpenAsync(_node.Origin, _layer.Digest, default);
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(first));

        var second = await catalog.OpenAsync(_node.Origin, _layer.Digest, default);

        Assert.NotEqual(first.Index.Id, second.Index.Id);
        Assert.Equal(Content(1), await ReadAsync(second));
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(first));
        Assert.Single(IndexFiles.Damaged(_node.Directory.Path));
        Assert.Same(second, await catalog.OpenAsync(_node.Origin, _layer.Digest, default));
    }

    [Fact]
    public async Task A_registry_that_gives_wrong_bytes_costs_nobody_a_good_index()
    {
        using var build = _node.Builder();
        (await _node.Indexes.BuildAsync(_layer.Digest, new MemoryStream(Blob(1)), new LayerIndexOptions(), default)).Dispose();
        await using var catalog = _node.Catalog(build);
        _node.Registry.Faults.Add(new Fault { Kind = TestRequestKind.Blob, CorruptAt = 1000 });
        var layer = await catalog.OpenAsync(_node.Origin, _layer.Digest, default);
        await Assert.ThrowsAsync<SpanFetchException>(async () => await ReadAsync(layer));

        // No verdict while it goes on lying; acquitted as soon as the whole blob is right.
        Assert.Same(layer, await catalog.OpenAsync(_node.Origin, _layer.Digest, default));
        Assert.False(_node.Blobs.IsComplete(_layer.Digest));
        _node.Registry.Faults.Clear();
        Assert.Same(layer, await catalog.OpenAsync(_node.Origin, _layer.Digest, default));

        Assert.True(_node.Blobs.IsComplete(_layer.Digest));
        Assert.Equal(Content(1), await ReadAsync(layer));
        Assert.True(_node.Indexes.Contains(_layer.Digest));
        Assert.Empty(IndexFiles.Damaged(_node.Directory.Path));
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
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "file") { DataStream = new MemoryStream(
                Content(seed)), ModificationTime = DateTimeOffset.UnixEpoch });
        return blob.ToArray();
    }

    private static async Task<byte[]> ReadAsync(LazyLayer layer)
    {
        Assert.True(layer.Toc.TryFind(0, "file"u8, out var entry));
        var bytes = new byte[FileLength];
        Assert.Equal(FileLength, await layer.ReadAsync(entry, 0, bytes, default));
        return bytes;
    }

    private sealed class Lying(byte[] other, Descriptor layer, LayerIndexStore indexes) : ILayerIndexSource
    {
        public string Name => "lying";

        public async Task<ObtainedIndex?> ObtainAsync(
            LayerOrigin origin, Digest digest, string? identity, CancellationToken cancellationToken)
        {
            using var ztoc = new MemoryStream();
            await ZtocBuilder.BuildAsync(new MemoryStream(other), ztoc, new ZtocOptions { SpanLength = 64 << 10 }, cancellationToken);
            return new ObtainedIndex(
                indexes.Import(Ztoc.Parse(ztoc.ToArray()), layer, origin.Image.Name, identity, new ZtocImportOptions()), []);
        }
    }
}
