namespace LazySnapshotter.Oci;

// What a source answers to a range: a stream that begins at a byte of the blob at or before the first wanted one and
// promises to go on to at least the last. A source that can only give more (a registry that ignores Range sends the whole
// blob from its beginning) hands all of it over as it comes; dropping what was not asked for is the reader's decision.
public sealed class BlobRange(Stream body, long offset, long? endExclusive) : IAsyncDisposable
{
    /// <summary>
    /// For one reader at a time. Ends at <see cref="EndExclusive"/>, or throws <see cref="IOException"/> if the source ends earlier.
    /// </summary>
    public Stream Body { get; } = body;

    /// <summary>Of the first byte of <see cref="Body"/> in the blob.</summary>
    public long Offset { get; } = offset;

    /// <summary>Where <see cref="Body"/> ends in the blob; null where nobody says how long the blob is.</summary>
    public long? EndExclusive { get; } = endExclusive;

    public ValueTask DisposeAsync() => Body.DisposeAsync();
}
