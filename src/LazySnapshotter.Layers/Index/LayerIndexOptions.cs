using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Index;

/// <summary>How to build an index.</summary>
public sealed record LayerIndexOptions
{
    public const long DefaultSpanLength = 1024 * 1024;

    /// <summary>A span ends at the first deflate block boundary behind so many uncompressed bytes.</summary>
    public long SpanLength { get; init; } = DefaultSpanLength;

    /// <summary>What the blob's digest must be; without it the blob is taken as it is.</summary>
    public Digest? ExpectedDigest { get; init; }

    /// <summary>Gets the blob's bytes as they pass, as far as they came when the build fails.</summary>
    public Action<ReadOnlyMemory<byte>>? CopyTo { get; init; }

    /// <summary>Told how many bytes of the blob have passed.</summary>
    public IProgress<long>? Progress { get; init; }
}
