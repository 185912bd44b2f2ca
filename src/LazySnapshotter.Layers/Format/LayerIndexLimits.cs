namespace LazySnapshotter.Layers.Format;

// What a blob or an index file may ask of us, beside what its tar may (TarLimits).
internal static class LayerIndexLimits
{
    /// <summary>Unpacked size of a layer: what 1 GiB of nothing but deflate's best case (1032:1) comes to. A gzip bomb ends here.</summary>
    public const long UncompressedLengthMax = 1L << 40;

    public const long CompressedLengthMax = 1L << 40;

    /// <summary>Spans of one layer; 1 MiB each for the largest layer, with room for smaller ones.</summary>
    public const int SpanCountMax = 4 * 1024 * 1024;

    /// <summary>An index file from elsewhere, before anything in it is believed: far above what the largest layer has.</summary>
    public const long IndexLengthMax = 16L << 30;

    /// <summary>TOC or span section of an index file, unpacked.</summary>
    public const int SectionLengthMax = 1 << 30;

    /// <summary>Header and both sections as they are stored: read into one piece of memory.</summary>
    public const int FrontLengthMax = 1 << 30;

    /// <summary>Deflate cannot pack denser than this; a section that claims to is damaged.</summary>
    public const int DeflateRatioMax = 1032;

    /// <summary>A stored window: 32 KiB that would not compress, runs, and deflate's own overhead.</summary>
    public const int StoredWindowLengthMax = 32768 + 4096;
}
