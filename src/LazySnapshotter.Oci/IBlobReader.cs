namespace LazySnapshotter.Oci;

// A blob that lies somewhere else, immutable and known by its digest: the seam between those who need bytes
// (Layers) and those who can get them (Registry). Safe for concurrent use. Bytes are NOT verified here; whoever
// asked holds the digest that covers them.
public interface IBlobReader
{
    Digest Digest { get; }

    /// <summary>
    /// Opens exactly <paramref name="length"/> bytes from <paramref name="offset"/>, as they arrive.
    /// The stream ends after the last of them, or throws <see cref="IOException"/> if the source ends earlier.
    /// </summary>
    /// <exception cref="IOException">The source cannot be had; the message names digest, range and cause.</exception>
    Task<Stream> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken);

    /// <summary>Opens the whole blob, as it arrives. The length is known only when the stream ends.</summary>
    /// <exception cref="IOException">The source cannot be had; the message names digest and cause.</exception>
    Task<Stream> OpenAsync(CancellationToken cancellationToken);
}
