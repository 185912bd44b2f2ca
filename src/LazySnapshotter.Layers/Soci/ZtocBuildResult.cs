using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

/// <param name="Digest">Of the zTOC.</param>
/// <param name="Length">Of the zTOC, in bytes.</param>
/// <param name="LayerDigest">Of the layer's blob.</param>
/// <param name="UncompressedLength">Of the tar up to the end of its closing blocks, as soci counts.</param>
/// <param name="NeedsXattrs">Or opaque directories. Without any, soci's `--optimizations xattr` marks the zTOC's descriptor
/// `disable-xattrs`.</param>
public sealed record ZtocBuildResult(
    Digest Digest,
    long Length,
    Digest LayerDigest,
    LayerCompression Compression,
    long CompressedLength,
    long UncompressedLength,
    int SpanCount,
    int EntryCount,
    bool NeedsXattrs);
