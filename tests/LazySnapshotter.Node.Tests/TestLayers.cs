using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Tests;

// Layers made of literal entries, indexed and opened as the catalog does, with a blob that lies in memory.
internal sealed class TestLayers : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lazysnap-mounts-");
    private readonly BlobStore _blobs;
    private readonly LayerIndexStore _indexes;
    private readonly SpanCache _cache = new();
    private readonly List<IAsyncDisposable> _open = [];

    public TestLayers()
    {
        _blobs = BlobStore.Open(_directory.FullName);
        _indexes = new LayerIndexStore(_directory.FullName);
    }

    /// <param name="entries">Name (a directory's ends with a slash) and content; "-> x" is a symbolic link, null an empty file.</param>
    public async Task<LazyLayer> LayerAsync(params (string Name, string? Content)[] entries)
    {
        var blob = new MemoryBlob(Blob(entries));
        var index = await _indexes.BuildAsync(blob.Digest, new MemoryStream(blob.Content), new LayerIndexOptions(), CancellationToken.None);
        var stored = _blobs.Open(index.LayerDigest, index.Id, index.Spans);
        var fetcher = new SpanFetcher(stored, blob);
        _open.Add(fetcher);
        return new LazyLayer(index, new SpanReader(stored, fetcher, _cache, new SpanDecoder(index)));
    }

    /// <inheritdoc cref="LayerAsync"/>
    public static byte[] Blob(params (string Name, string? Content)[] entries)
    {
        using var tar = new MemoryStream();
        using (var gzip = new GZipStream(tar, CompressionLevel.Optimal, leaveOpen: true))
        using (var writer = new TarWriter(gzip, TarEntryFormat.Pax))
        {
            foreach (var (name, content) in entries)
                writer.WriteEntry(Entry(name, content));
        }

        return tar.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open)
            await open.DisposeAsync();
        _blobs.Dispose();
        _directory.Delete(recursive: true);
    }

    private static PaxTarEntry Entry(string name, string? content)
    {
        if (name.EndsWith('/'))
            return new PaxTarEntry(TarEntryType.Directory, name);
        if (content?.StartsWith("-> ", StringComparison.Ordinal) == true)
            return new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = content[3..] };
        return new PaxTarEntry(
            TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content ?? "")) };
    }

    private sealed class MemoryBlob(byte[] content) : IBlobReader
    {
        public byte[] Content => content;

        public Digest Digest { get; } = Digest.OfSha256(content);

        public Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
            Task.FromResult(new BlobRange(new MemoryStream(content, (int)offset, (int)length), offset, offset + length));

        public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
            Task.FromResult<Stream>(new MemoryStream(content));
    }
}
