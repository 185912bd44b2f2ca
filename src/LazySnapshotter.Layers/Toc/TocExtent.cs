namespace LazySnapshotter.Layers.Toc;

/// <summary>A piece of a file that has data, and where that lies in the layer's tar.</summary>
public readonly record struct TocExtent(long FileOffset, long UncompressedOffset, long Length)
{
    public long FileEnd => FileOffset + Length;
}
