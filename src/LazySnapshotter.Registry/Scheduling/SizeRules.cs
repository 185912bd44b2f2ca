namespace LazySnapshotter.Registry.Scheduling;

// Which of several equally urgent requests goes next, by what is on its way already (regclient's rules, S1.5). Something
// small is always on its way if there is any, because documents are what further work hangs on. Of the rest, half of the
// places go to the largest, so that the end of a transfer is not one big blob that began last, and half to the
// oldest, so that nothing waits for ever.
internal static class SizeRules
{
    private const long SmallBytesMax = 4 << 20;

    /// <summary>What counts as large beside the largest one that waits.</summary>
    private const double LargeShare = 0.9;

    /// <param name="waiting">In order of arrival.</param>
    /// <param name="active">On their way, without the one whose place became free.</param>
    /// <returns>An index into <paramref name="waiting"/>; -1 if nobody waits.</returns>
    public static int Next(ReadOnlySpan<TurnLoad> waiting, ReadOnlySpan<TurnLoad> active)
    {
        if (waiting.IsEmpty)
            return -1;

        // One place is for something small. Half of what remains, rounded down, is for large ones.
        var largeWanted = active.Length / 2;
        var largest = largeWanted > 0 ? LargestBlob(waiting) : -1;
        var largeFrom = largest < 0 ? long.MaxValue : (long)(waiting[largest].Bytes * LargeShare);
        var small = 0;
        var large = 0;
        foreach (var load in active)
        {
            if (IsSmall(load))
                small++;
            else if (load.Kind == TurnKind.Blob && load.Bytes >= largeFrom)
                large++;
        }

        if (active.Length > 0 && small == 0 && BestSmall(waiting) is var best and >= 0)
            return best;
        return largest >= 0 && large < largeWanted ? largest : 0;
    }

    private static bool IsSmall(TurnLoad load) => load.Kind != TurnKind.Blob && load.Bytes <= SmallBytesMax;

    private static int LargestBlob(ReadOnlySpan<TurnLoad> waiting)
    {
        var largest = -1;
        var bytes = 0L;
        for (var i = 0; i < waiting.Length; i++)
        {
            if (waiting[i].Kind == TurnKind.Blob && waiting[i].Bytes > bytes)
                (largest, bytes) = (i, waiting[i].Bytes);
        }

        return largest;
    }

    // The better kind, unknown ones last; among equals the smaller, those of unknown size last; else the older.
    private static int BestSmall(ReadOnlySpan<TurnLoad> waiting)
    {
        var best = -1;
        for (var i = 0; i < waiting.Length; i++)
        {
            if (IsSmall(waiting[i]) && (best < 0 || Rank(waiting[i]).CompareTo(Rank(waiting[best])) < 0))
                best = i;
        }

        return best;

        static (TurnKind Kind, long Bytes) Rank(TurnLoad load) =>
            (load.Kind == TurnKind.Unknown ? TurnKind.Blob : load.Kind, load.Bytes > 0 ? load.Bytes : long.MaxValue);
    }
}
