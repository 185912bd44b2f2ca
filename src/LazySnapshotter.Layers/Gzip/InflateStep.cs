namespace LazySnapshotter.Layers.Gzip;

internal enum InflateState
{
    /// <summary>Wants more input or more room for output.</summary>
    Running,

    /// <summary>A deflate block has just ended and another one follows.</summary>
    BlockBoundary,

    /// <summary>The last block has ended.</summary>
    StreamEnd,

    /// <summary>Not a deflate stream; <see cref="Inflater.Error"/> has zlib's words.</summary>
    Corrupt,
}

/// <summary>What one call of <see cref="Inflater.Inflate"/> did.</summary>
/// <param name="UnusedBits">At a block boundary: how many bits of the last consumed byte belong to the next block.</param>
internal readonly record struct InflateStep(InflateState State, int Consumed, int Produced, int UnusedBits);
