namespace LazySnapshotter.Layers.Index;

// A place where inflating a layer can begin.
internal readonly record struct Checkpoint(long StartBit, long UncompressedOffset, bool IsMemberStart)
{
    /// <summary>The byte that has the first bit; it may end the span before as well.</summary>
    public long CompressedOffset => StartBit / 8;
}
