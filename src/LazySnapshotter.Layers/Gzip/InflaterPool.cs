using System.Collections.Concurrent;

namespace LazySnapshotter.Layers.Gzip;

// Inflate states that rest between two spans, for all layers together: a state belongs to no layer, and setting one up
// (40 KiB of native memory) costs more than inflating a small file. As many are kept as the machine can use at once.
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
        {
            Resting.Push(inflater);
            return;
        }

        Interlocked.Decrement(ref _restingCount);
        inflater.Dispose();
    }
}
