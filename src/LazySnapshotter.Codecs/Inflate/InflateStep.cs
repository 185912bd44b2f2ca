namespace LazySnapshotter.Codecs.Inflate;

internal enum InflateState
{
    /// <summary>There is more output than room for it.</summary>
    OutputFull,

    /// <summary>All input is consumed and the stream goes on.</summary>
    NeedInput,

    /// <summary>A symbol has just ended at the place to pause at, or as soon behind it as one did.</summary>
    Paused,

    /// <summary>A deflate block has just ended and another one follows.</summary>
    BlockBoundary,

    /// <summary>The last block has ended.</summary>
    StreamEnd,

    /// <summary>Not a deflate stream; <see cref="Inflater.Error"/> says why.</summary>
    Corrupt,
}

/// <summary>What one call of <see cref="Inflater.Inflate"/> did.</summary>
/// <param name="Consumed">Input bytes that need not be offered again; at the stream's end the next byte is behind the stream.</param>
/// <param name="UnusedBits">At a block boundary or a pause: how many bits of the last consumed byte belong to what follows.</param>
internal readonly record struct InflateStep(InflateState State, int Consumed, int Produced, int UnusedBits);
