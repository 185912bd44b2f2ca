namespace LazySnapshotter.Blobs.Store;

// What reading layers has cost so far, for metrics: counters that only rise, shared by all layers of a store.
public sealed class LayerReadStatistics
{
    private long _requests;
    private long _bytesFetched;
    private long _bytesAhead;
    private long _spansVerified;
    private long _verificationFailures;
    private long _storeFailures;
    private long _cacheHits;
    private long _cacheMisses;
    private long _bytesServed;

    /// <summary>Range requests opened at the source, retries included.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Compressed bytes that arrived from the source.</summary>
    public long BytesFetched => Volatile.Read(ref _bytesFetched);

    /// <summary>Compressed bytes of spans fetched before anybody asked for them.</summary>
    public long BytesReadAhead => Volatile.Read(ref _bytesAhead);

    /// <summary>Spans whose digest was computed and right, from the source or from disk.</summary>
    public long SpansVerified => Volatile.Read(ref _spansVerified);

    /// <summary>Spans whose digest was computed and wrong, from the source or from disk.</summary>
    public long VerificationFailures => Volatile.Read(ref _verificationFailures);

    /// <summary>Verified spans the disk would not take.</summary>
    public long StoreFailures => Volatile.Read(ref _storeFailures);

    /// <summary>Spans found inflated in memory.</summary>
    public long CacheHits => Volatile.Read(ref _cacheHits);

    /// <summary>Spans that had to be inflated.</summary>
    public long CacheMisses => Volatile.Read(ref _cacheMisses);

    /// <summary>Uncompressed bytes handed to readers.</summary>
    public long BytesServed => Volatile.Read(ref _bytesServed);

    internal void CountRequest() => Interlocked.Increment(ref _requests);

    internal void CountFetched(int bytes) => Interlocked.Add(ref _bytesFetched, bytes);

    internal void CountReadAhead(long bytes) => Interlocked.Add(ref _bytesAhead, bytes);

    internal void CountVerified() => Interlocked.Increment(ref _spansVerified);

    internal void CountVerificationFailure() => Interlocked.Increment(ref _verificationFailures);

    internal void CountStoreFailure() => Interlocked.Increment(ref _storeFailures);

    internal void CountCacheHit() => Interlocked.Increment(ref _cacheHits);

    internal void CountCacheMiss() => Interlocked.Increment(ref _cacheMisses);

    internal void CountServed(int bytes) => Interlocked.Add(ref _bytesServed, bytes);
}
