namespace LazySnapshotter.Layers.Soci;

// What a zTOC from elsewhere may ask of us, beside what every layer may (TarLimits, LayerIndexLimits).
public static class ZtocLimits
{
    /// <summary>A whole zTOC. At soci's default of 4 MiB a span, it is that large for a layer of 128 GiB.</summary>
    public const int LengthMax = 1 << 30;

    /// <summary>
    /// Keys and values of all pax records of a layer. A FlatBuffer can name the same bytes for every file, so the buffer's
    /// own length does not bound the work.
    /// </summary>
    internal const long RecordBytesMax = 1L << 30;
}
