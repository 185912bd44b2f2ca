namespace LazySnapshotter.Layers.Placement;

// A block boundary at which a span of a layer starts, or may start. Inflating can begin there, unless the span goes on
// from the one before.
internal readonly record struct Checkpoint(long StartBit, long UncompressedOffset, bool IsMemberStart)
{
    public bool IsContinued { get; init; }

    /// <summary>Whether what lies behind it may refer to what lies before it, and the index is to have that.</summary>
    public bool NeedsWindow => !IsMemberStart && !IsContinued;

    /// <summary>The byte that has the first bit; it may end the span before as well.</summary>
    public long CompressedOffset => StartBit / 8;
}
