using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Placement;

/// <summary>Where a layer gets its checkpoints: the trade between bytes fetched for a read and bytes of index.</summary>
public sealed record CheckpointPlacement
{
    /// <summary>Of equal spans; a real one ends behind that, at the next block boundary.</summary>
    public const long SpanLengthMax = SpanTable.LengthMax / 2;

    private CheckpointPlacement(long? spanLength) => SpanLength = spanLength;

    /// <summary>Many where files are small, few where they are large, and where a window is cheap.</summary>
    public static CheckpointPlacement Adaptive { get; } = new((long?)null);

    /// <summary>Length of all spans, more or less; null: adaptive.</summary>
    public long? SpanLength { get; }

    /// <summary>A span ends at the first deflate block boundary behind so many uncompressed bytes.</summary>
    public static CheckpointPlacement Uniform(long spanLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(spanLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(spanLength, SpanLengthMax);
        return new CheckpointPlacement(spanLength);
    }

    internal CheckpointChooser CreateChooser(Action<Checkpoint> chosen) =>
        SpanLength is { } spanLength ? new UniformChooser(spanLength, chosen) : new AdaptiveChooser(chosen);
}
