using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Composition;

// What everything that reads layers on this node is made of: the registry client, the index files, the blobs, the
// memory for inflated spans, and the catalog that joins them. The daemon has one for its life, a command for its run;
// both may use the same root directory at the same time.
public sealed class NodeStorage : IAsyncDisposable
{
    private readonly IReadOnlyList<ILayerIndexSource> _sources;

    private NodeStorage(
        RegistryClient registry, LayerIndexStore indexes, BlobStore blobs, IReadOnlyList<ILayerIndexSource> sources, LayerCatalog catalog)
    {
        _sources = sources;
        Registry = registry;
        Indexes = indexes;
        Blobs = blobs;
        Catalog = catalog;
    }

    public RegistryClient Registry { get; }

    public LayerIndexStore Indexes { get; }

    public BlobStore Blobs { get; }

    public LayerCatalog Catalog { get; }

    /// <exception cref="IOException">The root directory cannot be used; the message names it.</exception>
    public static NodeStorage Open(DaemonOptions options, ILoggerFactory loggers)
    {
        RootDirectory.Make(options.Root);
        var registry = new RegistryClient(options.Registry.ToClientOptions(options.Root), loggers.CreateLogger<RegistryClient>());
        var indexes = new LayerIndexStore(options.Root);
        var blobs = BlobStore.Open(options.Root, loggers.CreateLogger<BlobStore>());
        var cache = new SpanCache((long)options.Cache.MemoryMiB << 20);
        blobs.Statistics.ShowCacheUsage(() => cache.UsedBytes);
        var sources = IndexSources.Create(options.Index, registry, indexes, blobs, loggers);
        var reading = new LayerCatalogOptions { Sources = sources, Fetching = options.Registry.Requests.ToFetcherOptions() };
        var catalog = new LayerCatalog(indexes, blobs, registry, cache, reading, loggers);
        return new NodeStorage(registry, indexes, blobs, sources, catalog);
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        foreach (var source in _sources.OfType<IDisposable>())
            source.Dispose();
        Blobs.Dispose();
        Registry.Dispose();
    }
}
