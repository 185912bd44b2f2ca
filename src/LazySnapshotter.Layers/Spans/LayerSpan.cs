namespace LazySnapshotter.Layers.Spans;

// One contiguous piece of a blob that can be read without what comes before it: the checkpoint supplies the bit
// offset and the 32 KiB window (deflate blocks: RFC 1951, section 3.2). Where a checkpoint does not lie on a byte
// boundary, CompressedOffset is the byte that holds its first bit, so that neighbours share that byte. The first
// span starts at byte 0 or behind the gzip header, the last one ends with the blob.
public readonly record struct LayerSpan(
    SpanId Id, long CompressedOffset, long CompressedLength, long UncompressedOffset, long UncompressedLength)
{
    public long CompressedEnd => CompressedOffset + CompressedLength;

    public long UncompressedEnd => UncompressedOffset + UncompressedLength;
}
