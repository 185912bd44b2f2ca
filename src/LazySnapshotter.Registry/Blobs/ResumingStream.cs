using System.Buffers;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Blobs;

// The bytes of one range, as they arrive, from as many responses as it takes: a body that breaks off, ends early or falls
// silent is continued by another request from the byte where it stopped. Bytes before the wanted range, which
// come from hosts that ignore Range, are read and dropped. For one reader at a time, like any stream.
internal sealed class ResumingStream : ForwardStream
{
    private const int SkipBufferBytes = 64 << 10;

    // A host may answer less than it was asked for, but not crumbs for ever.
    private const long BytesPerShortAnswer = 64 << 10;

    // A long body may break more often than a short one before it is hopeless.
    private const long BytesPerAdditionalResume = 16 << 20;

    private readonly BlobSource _source;
    private readonly ByteRange _wanted;
    private readonly ReadPriority _priority;
    private readonly Deadline _deadline;
    private readonly RegistryOptions _options;
    private CancellationTokenSource _silence;
    private BlobPart? _part;
    private long _partPosition;
    private long _position;
    private long? _end;
    private int _resumed;
    private long _brokeOffAt = -1;
    private int _shortAnswers;
    private bool _disposed;

    public ResumingStream(BlobSource source, ByteRange wanted, ReadPriority priority, BlobPart part, Deadline deadline)
    {
        _source = source;
        _wanted = wanted;
        _priority = priority;
        _deadline = deadline;
        _options = source.Services.Options;
        _position = wanted.Start;
        _end = wanted.EndExclusive ?? part.TotalSize;
        _silence = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
        Take(part);
    }

    /// <summary>What it gives: the range that was asked for, or the blob from its beginning where the host has nothing less.</summary>
    public ByteRange Range => new(_wanted.Start, _end);

    private long ResumesMax => _options.RetryLimit + ((_position - _wanted.Start) / BytesPerAdditionalResume);

    private RequestSubject Subject => RequestSubject.Blob(_source.Digest, _wanted);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (buffer.IsEmpty || _position == _end)
            return 0;

        while (true)
        {
            if (_part is null)
                await ReopenAsync(cancellationToken);
            Exception broken;
            try
            {
                await SkipToPositionAsync(cancellationToken);
                var count = await ReadPartAsync(buffer, cancellationToken);
                if (count > 0)
                    return Advance(count);
                if (_end is null)
                {
                    _end = _position; // A body without an announced length: its end is the blob's.
                    return 0;
                }

                if (_position == _part?.EndExclusive && MayGoOnBehind(_part))
                {
                    ReleasePart();
                    continue;
                }

                broken = new EndOfStreamException($"the body ended at byte {_position}");
            }
            // InvalidData: of a body whose Content-Encoding was to be undone.
            catch (Exception e) when (e is (IOException or HttpRequestException or InvalidDataException) and not RegistryException)
            {
                broken = e;
            }

            CountBroken(broken);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _part?.Dispose();
            _silence.Dispose();
            _deadline.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Take(BlobPart part)
    {
        _part = part;
        _partPosition = part.Start;
    }

    private int Advance(int count)
    {
        _position += count;
        if (_end is null && _position > RegistryLimits.UnknownBlobBytesMax)
            throw Subject.Error(
                RegistryFailure.Protocol, _source.HostName, $"the body is longer than {RegistryLimits.UnknownBlobBytesMax} bytes");
        if (_position == _end)
            ReleasePart(); // The connection is free for the next request before our reader notices the end.
        return count;
    }

    private void ReleasePart()
    {
        _part?.Dispose();
        _part = null;
    }

    private async ValueTask SkipToPositionAsync(CancellationToken cancellationToken)
    {
        if (_partPosition == _position)
            return;

        var dropped = ArrayPool<byte>.Shared.Rent(SkipBufferBytes);
        try
        {
            while (_partPosition < _position)
            {
                var count = (int)Math.Min(dropped.Length, _position - _partPosition);
                if (await ReadBodyAsync(dropped.AsMemory(0, count), cancellationToken) == 0)
                    throw new EndOfStreamException($"the body ended at byte {_partPosition}");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }

    private ValueTask<int> ReadPartAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var end = Math.Min(_end ?? long.MaxValue, _part?.EndExclusive ?? long.MaxValue);
        var count = (int)Math.Min(buffer.Length, end - _position);
        return count == 0 ? ValueTask.FromResult(0) : ReadBodyAsync(buffer[..count], cancellationToken);
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // One source for many reads: a new one per read would cost more than the read.
        if (_silence.IsCancellationRequested)
            RenewSilence();
        var silence = _silence;
        using var callerGivesUp = cancellationToken.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), silence);
        var silenceMax = _options.SilenceMax;
        silence.CancelAfter(silenceMax);
        try
        {
            var count = await _part!.Body.ReadAsync(buffer, silence.Token);
            _partPosition += count;
            _source.Services.Statistics.CountBlobBytes(count);
            return count;
        }
        catch (OperationCanceledException e)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                ReleasePart(); // A body whose read was given up cannot be read on. Should our reader come back, we ask again.
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }

            if (_deadline.Token.IsCancellationRequested)
                throw _deadline.Error(_source.HostName, Subject, e);
            throw new IOException($"silent for {silenceMax.TotalSeconds:0.###} s at byte {_partPosition}", e);
        }
        finally
        {
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private void RenewSilence()
    {
        _silence.Dispose();
        _silence = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token);
    }

    // A host that promised less than it was asked for (RFC 9110 section 15.3.7) and kept its promise: asked for the rest.
    private bool MayGoOnBehind(BlobPart part) =>
        part.IsPartial && _shortAnswers++ < _options.RetryLimit + ((_position - _wanted.Start) / BytesPerShortAnswer);

    private void CountBroken(Exception broken)
    {
        var host = _part?.Host ?? _source.HostName;
        var (cause, inner) = Redaction.Explain(broken);
        ReleasePart();
        _source.Services.Transport.ReportBrokenBody(host);
        _source.Services.Statistics.CountBrokenBody();
        // Whoever decides by it need not see the same byte missing over and over.
        var isHopeless = Decision.IsPending && _brokeOffAt == _position;
        _brokeOffAt = _position;
        if (_resumed >= ResumesMax || isHopeless)
        {
            throw Subject.Error(
                RegistryFailure.Unreachable, host, $"the body broke off at byte {_position} after {_resumed} resumptions: {cause}",
                inner: inner);
        }

        _resumed++;
        _source.Services.Statistics.CountResumedBody();
        _source.Services.Logger.BodyResumed(host, _source.Digest, _position, _wanted.ToString(), _resumed, (int)ResumesMax, cause);
    }

    private async Task ReopenAsync(CancellationToken cancellationToken)
    {
        var rest = new ByteRange(_position, _end);
        Take(await _deadline.RunAsync(
            _source.HostName, Subject, ct => _source.OpenAsync(rest, askForRange: true, _priority, ct), cancellationToken));
    }
}
