using LazySnapshotter.Artifacts;
using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Composition;

// Makes the sources of indexes that a configuration names.
public static class IndexSources
{
    /// <exception cref="InvalidDataException">A name is none of a source.</exception>
    public static IReadOnlyList<ILayerIndexSource> Create(
        DaemonOptions.IndexSection options, RegistryClient registry, LayerIndexStore indexes, BlobStore blobs, ILoggerFactory loggers)
    {
        if (IndexSourceNames.WhyNot(options.Sources) is { } why)
            throw new InvalidDataException($"index source {why}");
        var discovery = new IndexDiscovery(registry, loggers);
        return [.. options.Sources.SelectMany(
            name => name == IndexSourceNames.Soci ? [SociIndexSource.NameOf(2), SociIndexSource.NameOf(1)] : new[] { name }).Distinct()
            .Select(CreateOne)];

        ILayerIndexSource CreateOne(string name) =>
            name == NativeIndexSource.SourceName ? new NativeIndexSource(discovery, registry, indexes, loggers)
            : name == SociIndexSource.NameOf(2) ? new SociIndexSource(2, discovery, registry, indexes, loggers)
            : name == SociIndexSource.NameOf(1) ? new SociIndexSource(1, discovery, registry, indexes, loggers)
            : new StreamedIndexSource(registry, indexes, blobs, options.Concurrency, loggers);
    }
}
