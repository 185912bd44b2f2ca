using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Placement;

/// <summary>Where a layer gets its checkpoints: the trade between bytes fetched for a read and bytes of index.</summary>
public sealed record CheckpointPlacement
{
    /// <summary>Of equal spans; a real one ends behind that, at the next block boundary.</summary>
    public const long SpanLengthMax = SpanTable.LengthMax / 2;

    private CheckpointPlacement(long? spanLength, bool preferSmallWindows)
    {
        SpanLength = spanLength;
        PrefersSmallWindows = preferSmallWindows;
    }

    /// <summary>Many where files are small, few where they are large, and where a window is cheap.</summary>
    public static CheckpointPlacement Adaptive { get; } = new(null, preferSmallWindows: false);

    /// <summary>Length of all spans, more or less; null: adaptive.</summary>
    public long? SpanLength { get; }

    /// <summary>Of the boundaries near the span's length the one with the smallest window is taken.</summary>
    public bool PrefersSmallWindows { get; }

    /// <summary>A span ends at the first deflate block boundary behind so many uncompressed bytes.</summary>
    /// <param name="preferSmallWindows">Or at the boundary between 0.6 and 1.4 times as many that costs least.</param>
    public static CheckpointPlacement Uniform(long spanLength, bool preferSmallWindows = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(spanLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(spanLength, SpanLengthMax);
        return new CheckpointPlacement(spanLength, preferSmallWindows);
    }

    internal CheckpointChooser CreateChooser(Action<Checkpoint> chosen) => SpanLength is not { } spanLength
        ? new AdaptiveChooser(chosen)
        : PrefersSmallWindows ? new CheapestChooser(spanLength, chosen) : new UniformChooser(spanLength, chosen);
}
