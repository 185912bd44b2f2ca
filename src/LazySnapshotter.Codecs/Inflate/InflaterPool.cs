using System.Collections.Concurrent;

namespace LazySnapshotter.Codecs.Inflate;

// Inflaters that rest between two spans, for all layers together: an inflater belongs to no layer, and its tables (12 KiB)
// would be garbage after each small read. As many are kept as the machine can use at once.
internal static class InflaterPool
{
    private static readonly int RestingMax = Environment.ProcessorCount * 2;
    private static readonly ConcurrentStack<Inflater> Resting = new();
    private static int _restingCount;

    public static Inflater Rent()
    {
        if (!Resting.TryPop(out var inflater))
            return new Inflater();
        Interlocked.Decrement(ref _restingCount);
        return inflater;
    }

    public static void Return(Inflater inflater)
    {
        if (Interlocked.Increment(ref _restingCount) <= RestingMax)
            Resting.Push(inflater);
        else
            Interlocked.Decrement(ref _restingCount);
    }
}
