using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;

namespace LazySnapshotter.Node.Catalog;

public sealed record LayerCatalogOptions
{
    /// <summary>
    /// Where the index of a layer that has none on this node is looked for, in that order. Without any, only such layers can be opened
    /// that have one.
    /// </summary>
    public IReadOnlyList<ILayerIndexSource> Sources { get; init; } = [];

    /// <summary>Between attempts to get, in the background, an index or the rest of one.</summary>
    public BackoffTimes Retrying { get; init; } = BackoffTimes.Default;

    public SpanFetcherOptions Fetching { get; init; } = new();
}
