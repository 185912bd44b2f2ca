namespace LazySnapshotter.Blobs.Store;

/// <summary>What is counted of reading layers.</summary>
public enum ReadCount
{
    /// <summary>Range requests opened at the source, retries included.</summary>
    Requests,

    /// <summary>Compressed bytes that arrived from the source.</summary>
    BytesFetched,

    /// <summary>Compressed bytes of spans fetched before anybody asked for them.</summary>
    BytesReadAhead,

    /// <summary>Spans whose digest was computed and right, from the source or from disk.</summary>
    SpansVerified,

    /// <summary>Spans whose digest was computed and wrong, from the source or from disk.</summary>
    VerificationFailures,

    /// <summary>Verified spans the disk would not take.</summary>
    StoreFailures,

    /// <summary>Spans found inflated in memory.</summary>
    CacheHits,

    /// <summary>Spans that had to be inflated.</summary>
    CacheMisses,

    /// <summary>Uncompressed bytes handed to readers.</summary>
    BytesServed,
}
