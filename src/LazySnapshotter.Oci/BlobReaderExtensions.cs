namespace LazySnapshotter.Oci;

public static class BlobReaderExtensions
{
    /// <summary>
    /// Opens exactly <paramref name="length"/> bytes from <paramref name="offset"/>, as they arrive; more that a source
    /// sends is read and dropped. The stream ends after the last of them, or throws <see cref="IOException"/> if the
    /// source ends earlier.
    /// </summary>
    /// <inheritdoc cref="IBlobReader.OpenRangeAsync"/>
    public static async Task<Stream> OpenExactRangeAsync(
        this IBlobReader blob, long offset, long length, ReadPriority priority, CancellationToken cancellationToken)
    {
        var range = await blob.OpenRangeAsync(offset, length, priority, cancellationToken);
        return range.Offset == offset && range.EndExclusive == offset + length
            ? range.Body
            : new RangeExcerpt(blob.Digest, range, offset, length);
    }
}
