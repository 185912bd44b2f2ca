using System.Collections.Concurrent;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

// What all layers of a node share.
internal sealed record NodeParts(
    LayerIndexStore Indexes, BlobStore Blobs, RegistryClient Registry, SpanCache Cache, LayerCatalogOptions Options, ILogger Logger,
    CancellationToken Stopping)
{
    private readonly ConcurrentDictionary<string, LinkEstimate> _links = new(); // by registry

    public IndexAcquisition Acquisition { get; } = new(Options.Sources);

    public LinkEstimate LinkTo(string registry) => _links.GetOrAdd(registry, _ => new LinkEstimate());
}
