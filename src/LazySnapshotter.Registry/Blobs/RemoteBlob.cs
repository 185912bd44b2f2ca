using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Blobs;

// A blob in a repository of a registry. Cheap to make; what is learned about the blob is shared with every other
// RemoteBlob for it. The first read is its own probe; each later read of a known blob is exactly one request. Streams
// resume by themselves where a body breaks off. No byte comes from the wrong place; whether it is the right byte, the
// digest its reader holds decides.
public sealed class RemoteBlob : IBlobReader
{
    private readonly BlobSource _source;

    internal RemoteBlob(BlobSource source) => _source = source;

    public Digest Digest => _source.Digest;

    /// <summary>By the descriptor, if there was one.</summary>
    public long? Size => _source.Size;

    /// <summary>
    /// The host that has the blob sends it from its beginning, whatever range is asked for: better read it once as a whole.
    /// </summary>
    public bool IgnoresRange => GivesRanges == false;

    public bool? GivesRanges => _source.GivesRanges;

    /// <summary>The host that answered for it last; the registry before any did.</summary>
    internal string Host => _source.HostName;

    /// <exception cref="RegistryException">The range cannot be had.</exception>
    public async Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, long.MaxValue - offset);
        if (length == 0)
            return new BlobRange(Stream.Null, offset, offset);

        var wanted = new ByteRange(offset, offset + length);
        if (offset + length > Size)
        {
            throw RequestSubject.Blob(Digest, wanted).Error(
                RegistryFailure.RangeNotSatisfiable, _source.HostName, $"the range ends beyond the blob, which has {Size} bytes");
        }

        var stream = await OpenAsync(wanted, askForRange: true, priority, _source.Services.Options.RangeDeadline, cancellationToken);
        return new BlobRange(stream, stream.Range.Start, stream.Range.EndExclusive);
    }

    /// <exception cref="RegistryException">The blob cannot be had.</exception>
    public async Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) => Size == 0
        ? Stream.Null
        : await OpenAsync(new ByteRange(0, Size), askForRange: false, priority, _source.Services.Options.BlobDeadline, cancellationToken);

    private async Task<ResumingStream> OpenAsync(
        ByteRange wanted, bool askForRange, ReadPriority priority, TimeSpan time, CancellationToken cancellationToken)
    {
        var deadline = new Deadline(time);
        try
        {
            var part = await deadline.RunAsync(
                _source.HostName, RequestSubject.Blob(Digest, wanted), ct =>
                    _source.OpenAsync(wanted, askForRange, priority, ct), cancellationToken);
            if (!part.RangeIgnored)
                return new ResumingStream(_source, wanted, priority, part, deadline);

            // All of it comes, in the time that all of it may take.
            deadline.Dispose();
            deadline = new Deadline(_source.Services.Options.BlobDeadline);
            return new ResumingStream(_source, new ByteRange(part.Start, part.TotalSize), priority, part, deadline);
        }
        catch
        {
            deadline.Dispose();
            throw;
        }
    }
}
