using LazySnapshotter.Layers.Store;

namespace LazySnapshotter.Mounts.Library;

public sealed record LayerLibraryOptions
{
    /// <summary>Whether a layer no index is known for is streamed once and indexed on this node.</summary>
    public bool BuildMissingIndexes { get; init; } = true;

    /// <summary>How many layers are streamed and indexed at the same time: inflating one takes a core.</summary>
    public int IndexingConcurrency { get; init; } = 3;

    public SpanFetcherOptions Fetching { get; init; } = new();
}
