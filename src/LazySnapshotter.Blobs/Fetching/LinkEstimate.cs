namespace LazySnapshotter.Blobs.Fetching;

// What the way to a layer's source is like, learned from the requests that were made: the shortest recent wait for a first byte,
// and the rate at which bytes follow, those of all requests together. Their product is what could have come in the time one
// more request would cost.
//
// The shortest wait of a window is how BBR tells the length of a way from queues on it (draft-ietf-ccwg-bbr, "RTprop", a window
// of 10 s). Ours is counted in answers: a node asks in bursts with hours between them, and all that was known must not be
// forgotten in a pause and learned anew from the first answer of a cold connection.
public sealed class LinkEstimate
{
    /// <summary>Less than this may have been in the socket's buffer already, whatever the link.</summary>
    private const int SampleBytesMin = 128 << 10;

    /// <summary>A sample of so many bytes replaces half of what was known, a shorter one less: what is short tells of buffers and
    /// of a busy machine more than of the link. A link that changes is followed within some requests.</summary>
    private const double HalvingBytes = 2 << 20;

    /// <summary>The window has one to two times as many. A container's cold start is some dozen to some hundred answers: its own
    /// queues do not fill the window, and at its end a way that became longer is known.</summary>
    internal const int WindowAnswers = 64;

    private readonly Lock _gate = new();
    private long _bytes;
    private int _answers;
    private TimeSpan _firstByte = TimeSpan.MaxValue;       // of the current WindowAnswers
    private TimeSpan _firstByteBefore = TimeSpan.MaxValue; // of those before
    private double _bytesPerSecond;

    /// <summary>Bytes worth a round trip; null before anything is known.</summary>
    public long? RoundTripBytes
    {
        get
        {
            lock (_gate)
                return _bytesPerSecond > 0 ? (long)(FirstByte.TotalSeconds * _bytesPerSecond) : null;
        }
    }

    /// <summary>That came over the link so far, for all requests together.</summary>
    internal long Bytes => Interlocked.Read(ref _bytes);

    private TimeSpan FirstByte => _firstByte < _firstByteBefore ? _firstByte : _firstByteBefore;

    internal void Count(int bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <param name="firstByte">From the request to the beginning of the answer.</param>
    /// <param name="bytes">That came over the link during the transfer, this request's and others'.</param>
    /// <param name="transfer">From the beginning of the answer to its end.</param>
    internal void Note(TimeSpan firstByte, long bytes, TimeSpan transfer)
    {
        lock (_gate)
        {
            NoteFirstByte(firstByte);
            if (bytes < SampleBytesMin || transfer <= TimeSpan.Zero)
                return;
            var rate = bytes / transfer.TotalSeconds;
            _bytesPerSecond = _bytesPerSecond == 0
                ? rate
                : _bytesPerSecond + (Math.Min(1, bytes / HalvingBytes) / 2 * (rate - _bytesPerSecond));
        }
    }
    private void NoteFirstByte(TimeSpan firstByte)
    {
        if (_answers == WindowAnswers)
        {
            _firstByteBefore = _firstByte;
            _firstByte = TimeSpan.MaxValue;
            _answers = 0;
        }

        _answers++;
        if (firstByte < _firstByte)
            _firstByte = firstByte;
    }
}
