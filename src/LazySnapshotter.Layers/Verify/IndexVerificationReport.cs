namespace LazySnapshotter.Layers.Verify;

/// <summary>What a verification has found.</summary>
/// <param name="Checks">In the order in which a person wants to read them.</param>
public sealed record IndexVerificationReport(IReadOnlyList<IndexCheck> Checks)
{
    public bool IsSound => Checks.All(check => check.DifferenceCount == 0);
}

/// <summary>One kind of thing that was compared.</summary>
/// <param name="Name">For example <c>span digests</c>.</param>
/// <param name="Compared">How many.</param>
/// <param name="DifferenceCount">How many of them differ.</param>
/// <param name="First">The first that does.</param>
public sealed record IndexCheck(string Name, long Compared, long DifferenceCount, IndexDifference? First);

/// <summary>One thing the index and the layer do not agree on.</summary>
/// <param name="What">A sentence for a person: where, what the index says, what the layer has.</param>
public sealed record IndexDifference(string What)
{
    public int? Span { get; init; }

    public string? Path { get; init; }

    public long? CompressedOffset { get; init; }

    public long? UncompressedOffset { get; init; }
}
