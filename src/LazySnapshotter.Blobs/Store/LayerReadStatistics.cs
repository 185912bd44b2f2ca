using System.Diagnostics.Metrics;

namespace LazySnapshotter.Blobs.Store;

// What reading layers has cost so far: counters that only rise, shared by all layers of a store, shown as a meter
// (docs/METRICS.md). A warm read counts twice, so counting is one interlocked addition, whoever listens; the meter's instruments
// look at the numbers when they are asked.
public sealed class LayerReadStatistics : IDisposable
{
    public const string MeterName = "LazySnapshotter.Blobs";

    private readonly long[] _counts = new long[Enum.GetValues<ReadCount>().Length];
    private readonly Meter _meter = new(MeterName);

    public LayerReadStatistics()
    {
        Show(ReadCount.Requests, "lazysnap.blob.fetch.requests", "{request}", "Range requests opened at a layer's source");
        Show(ReadCount.BytesFetched, "lazysnap.blob.fetch.io", "By", "Compressed bytes that arrived");
        Show(ReadCount.BytesReadAhead, "lazysnap.blob.fetch.readahead.io", "By", "Compressed bytes fetched before anybody asked");
        Show(ReadCount.SpansVerified, "lazysnap.span.verifications", "{span}", "Spans whose digest was right");
        Show(ReadCount.VerificationFailures, "lazysnap.span.verification.failures", "{span}", "Spans whose digest was wrong");
        Show(ReadCount.StoreFailures, "lazysnap.span.store.failures", "{span}", "Verified spans the disk would not take");
        Show(ReadCount.CacheHits, "lazysnap.span.cache.hits", "{span}", "Spans found inflated in memory");
        Show(ReadCount.CacheMisses, "lazysnap.span.cache.misses", "{span}", "Spans that had to be inflated");
        Show(ReadCount.BytesServed, "lazysnap.layer.read.io", "By", "Uncompressed bytes handed to readers");
    }

    public long this[ReadCount count] => Volatile.Read(ref _counts[(int)count]);

    public void Count(ReadCount count, long increment = 1) => Interlocked.Add(ref _counts[(int)count], increment);

    /// <summary>Shows with the counters how much memory the inflated spans take.</summary>
    public void ShowCacheUsage(Func<long> usedBytes) => _meter.CreateObservableUpDownCounter(
        "lazysnap.span.cache.usage", usedBytes, "By", "Memory that holds inflated spans");

    public void Dispose() => _meter.Dispose();

    private void Show(ReadCount count, string name, string unit, string description) =>
        _meter.CreateObservableCounter(name, () => this[count], unit, description);
}
