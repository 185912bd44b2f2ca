namespace LazySnapshotter.Oci;

// A blob that lies somewhere else, immutable and known by its digest: the seam between those who need bytes
// (Layers) and those who can get them (Registry). Safe for concurrent use. Bytes are NOT verified here; whoever
// asked holds the digest that covers them.
public interface IBlobReader
{
    Digest Digest { get; }

    /// <summary>
    /// Whether a range costs its own bytes alone, as far as is known: false where the source would rather send the whole
    /// blob, null where the next answer will tell.
    /// </summary>
    bool? GivesRanges => true;

    /// <summary>
    /// Opens <paramref name="length"/> bytes from <paramref name="offset"/>, as they arrive, or more of the blob around
    /// them where the source gives nothing less (<see cref="BlobRange"/>). Readers that want just their bytes take
    /// <see cref="BlobReaderExtensions.OpenExactRangeAsync"/>.
    /// </summary>
    /// <param name="priority">May be raised while the read is on its way.</param>
    /// <exception cref="IOException">The source cannot be had; the message names digest, range and cause.</exception>
    Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken);

    /// <summary>Opens the whole blob, as it arrives. The length is known only when the stream ends.</summary>
    /// <exception cref="IOException">The source cannot be had; the message names digest and cause.</exception>
    Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken);
}
