namespace LazySnapshotter.Blobs.Fetching;

// What the way to a layer's source is like, learned from the requests that were made: the shortest wait for a first byte,
// and the rate at which bytes follow, those of all requests together. Their product is what could have come in the time one
// more request would cost.
public sealed class LinkEstimate
{
    /// <summary>Less than this may have been in the socket's buffer already, whatever the link.</summary>
    private const int SampleBytesMin = 128 << 10;

    /// <summary>A sample of so many bytes replaces half of what was known, a shorter one less: what is short tells of buffers and
    /// of a busy machine more than of the link. A link that changes is followed within some requests.</summary>
    private const double HalvingBytes = 2 << 20;

    private readonly Lock _gate = new();
    private long _bytes;
    private TimeSpan _firstByte = TimeSpan.MaxValue;
    private double _bytesPerSecond;

    /// <summary>Bytes worth a round trip; null before anything is known.</summary>
    public long? RoundTripBytes
    {
        get
        {
            lock (_gate)
                return _bytesPerSecond > 0 ? (long)(_firstByte.TotalSeconds * _bytesPerSecond) : null;
        }
    }

    /// <summary>That came over the link so far, for all requests together.</summary>
    internal long Bytes => Interlocked.Read(ref _bytes);

    internal void Count(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <param name="firstByte">From the request to the beginning of the answer.</param>
    /// <param name="bytes">That came over the link during the transfer, this request's and others'.</param>
    /// <param name="transfer">From the beginning of the answer to its end.</param>
    internal void Note(TimeSpan firstByte, long bytes, TimeSpan transfer)
    {
        lock (_gate)
        {
            if (firstByte < _firstByte)
                _firstByte = firstByte;
            if (bytes < SampleBytesMin || transfer <= TimeSpan.Zero)
                return;
            var rate = bytes / transfer.TotalSeconds;
            _bytesPerSecond = _bytesPerSecond == 0
                ? rate
                : _bytesPerSecond + (Math.Min(1, bytes / HalvingBytes) / 2 * (rate - _bytesPerSecond));
        }
    }
}
