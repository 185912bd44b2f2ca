using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

// All that goes into a zTOC, before it is bytes.
internal sealed record ZtocContent
{
    public required LayerCompression Compression { get; init; }

    public Digest LayerDigest { get; init; }

    public required long CompressedLength { get; init; }

    public required long UncompressedLength { get; init; }

    /// <summary>In the order of the tar, with their headers.</summary>
    public required IReadOnlyList<TarEntry> Entries { get; init; }

    /// <summary>SHA-256 of each span, 32 bytes each.</summary>
    public required byte[] SpanDigests { get; init; }

    /// <summary>Number of the last span, which soci writes beside the digests.</summary>
    public required int SpanIdMax { get; init; }

    /// <summary>A gzip layer's checkpoints with their windows; for others, what TarZinfo writes.</summary>
    public required byte[] Checkpoints { get; init; }
}
