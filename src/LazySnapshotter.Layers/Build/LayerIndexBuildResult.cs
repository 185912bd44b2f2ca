using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Build;

/// <param name="IndexId">Identity of the index file (<see cref="Format.LayerIndex.Id"/>).</param>
/// <param name="IndexLength">Length of the index file.</param>
public sealed record LayerIndexBuildResult(
    Digest LayerDigest,
    Digest DiffId,
    LayerCompression Compression,
    long CompressedLength,
    long UncompressedLength,
    int SpanCount,
    int EntryCount,
    string IndexId,
    long IndexLength);
