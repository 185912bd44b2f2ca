using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Build;

/// <summary>How to build an index.</summary>
public sealed record LayerIndexOptions
{
    /// <summary>Where the checkpoints go.</summary>
    public CheckpointPlacement Placement { get; init; } = CheckpointPlacement.Adaptive;

    /// <summary>What the blob's digest must be; without it the blob is taken as it is.</summary>
    public Digest? ExpectedDigest { get; init; }

    /// <summary>Gets the blob's bytes as they pass, each once and in order, as far as they came when the build fails.</summary>
    public Action<ReadOnlyMemory<byte>>? CopyTo { get; init; }

    /// <summary>Told how many bytes of the blob have passed.</summary>
    public IProgress<long>? Progress { get; init; }
}
