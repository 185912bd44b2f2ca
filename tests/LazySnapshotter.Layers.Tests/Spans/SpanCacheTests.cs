using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Store;

namespace LazySnapshotter.Layers.Tests.Spans;

public sealed class SpanCacheTests : IDisposable
{
    private const int Kilo = 1 << 10;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Memory_stays_below_the_limit_and_one_span_per_reader()
    {
        const int Limit = 512 * Kilo;
        const int Readers = 4;
        await using var h = new LayerHarness(TestLayer.Uniform(64, 64 * Kilo), _folder.Path, cache: new SpanCache(Limit));
        long most = 0;
        await Task.WhenAll(Enumerable.Range(0, Readers).Select(reader => Task.Run(async () =>
        {
            var random = new Random(reader);
            for (var i = 0; i < 500; i++)
            {
                await h.ReadAndCompareAsync(random.Next(h.Layer.Tar.Length), 1000);
                InterlockedMax(ref most, h.Cache.UsedBytes);
            }
        })));
        Assert.InRange(most, Limit / 2, Limit + (Readers * 64 * Kilo));
        Assert.InRange(h.Cache.UsedBytes, Limit / 2, Limit);
        Assert.True(h.Statistics[ReadCount.CacheHits] > 0);
    }

    [Fact]
    public async Task The_least_recently_used_goes_first()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(4, 64 * Kilo), _folder.Path, cache: new SpanCache(2 * 64 * Kilo));
        foreach (var span in (int[])[0, 1, 0, 2, 0])
            await h.ReadSpanAsync(span);
        Assert.Null(h.Cache.TryAcquire(h.Blob, new SpanId(1)));
        Assert.NotNull(h.Cache.TryAcquire(h.Blob, new SpanId(0)));
        Assert.NotNull(h.Cache.TryAcquire(h.Blob, new SpanId(2)));
    }

    [Fact]
    public async Task A_span_in_use_is_not_evicted()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(16, 64 * Kilo), _folder.Path, cache: new SpanCache(64 * Kilo));
        await h.ReadSpanAsync(0);
        var used = h.Cache.TryAcquire(h.Blob, new SpanId(0))!;
        for (var span = 1; span < 16; span++)
            await h.ReadSpanAsync(span);
        h.Cache.Drop(h.Blob);
        Assert.True(used.Bytes.SequenceEqual(h.Layer.TarOf(0)));
        h.Cache.Release(used);
        h.Cache.Drop(h.Blob);
        Assert.Equal(0, h.Cache.UsedBytes);
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (var seen = Volatile.Read(ref target); value > seen;)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
