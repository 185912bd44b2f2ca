using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.OddImages;

public enum OddVerdict
{
    /// <summary>Both show the same tree.</summary>
    SameTree,

    /// <summary>Both refuse the image.</summary>
    SameRefusal,

    Different,
}

// What became of one image, through containerd's overlayfs and through us.
public sealed record OddOutcome(int Seed, string Recipe, OddVerdict Verdict, string Explanation)
{
    private const int DifferencesShown = 10;

    public int LayersLazy { get; init; }

    public int LayersUnpacked { get; init; }

    public IReadOnlyList<TreeDifference> Differences { get; init; } = [];

    public override string ToString() =>
        $"seed {Seed}: {Verdict}: {Explanation} [{Recipe}]"
        + string.Concat(Differences.Take(DifferencesShown).Select(difference => $"\n    {difference}"));
}
