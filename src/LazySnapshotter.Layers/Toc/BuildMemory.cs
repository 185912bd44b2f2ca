namespace LazySnapshotter.Layers.Toc;

// A build knows when it has left behind as much as it keeps, and the garbage collector does not: without this a large
// layer stands in memory twice. It stops all threads, FUSE's too, and must: collections in the background free the heap as well,
// but the process keeps the pages (docs/BENCHMARKS.md, "Building an index").
internal static class BuildMemory
{
    private const int LargeEntryCount = 100_000;

    /// <summary>Whether what is kept of so many entries is worth a collection, or doing things one after the other.</summary>
    public static bool IsLarge(int entryCount) => entryCount >= LargeEntryCount;

    /// <summary>What was left behind goes now, if it is much; takes 10 to 90 ms then.</summary>
    public static void Release(int entryCount)
    {
        if (IsLarge(entryCount))
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }
}
