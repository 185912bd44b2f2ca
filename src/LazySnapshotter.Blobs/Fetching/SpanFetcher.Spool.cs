using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

// A body that brings more than was asked for, taken as a whole: every span that passes is verified and stored, wanted or
// not; one span is in memory at a time and none waits for its reader. A body that began with the blob's first byte makes
// the layer complete with its last. One that nobody waits for any more goes on for a while: asking again would begin
// with the first byte again.
public sealed partial class SpanFetcher
{
    /// <summary>A spool has the whole time again whenever so much has come: slower is as good as silent.</summary>
    private const int ProlongingBytes = 256 << 10;

    // Returns the spans that should be tried again.
    private async Task<List<PendingSpan>> SpoolAsync(SpanSpool spool, BlobRange range, int attempt)
    {
        BlobsLog.SpoolBegins(_blob.Logger, _blob.Layer, spool.EndExclusive - range.Offset);
        var isWhole = range.Offset == 0 && spool.EndExclusive == _blob.Spans.CompressedLength;
        using var whole = isWhole ? new PassingBlob(_blob) : null;
        using var cutter = new SpanCutter(range.Body, range.Offset, _blob.Statistics, _link, Watch(spool.Fetch, whole));
        try
        {
            var hasPassed = await PassAsync(spool, cutter, whole, attempt);
            if (hasPassed && whole is not null)
                await CompleteAsync(spool, whole);
        }
        catch (IOException e) when (attempt < AttemptsMax && !IsFinal(e) && !spool.Fetch.CancellationToken.IsCancellationRequested)
        {
            BlobsLog.TransferBroke(_blob.Logger, _blob.Layer, new SpanId(spool.Frontier), attempt, e.Message);
        }
        finally
        {
            EndSpool(spool);
        }

        // A spool goes on without anybody waiting, as long as it goes; what broke is not begun again for nobody.
        lock (_gate)
        {
            if (spool.Fetch.IsUnwanted)
            {
                Abandon(spool.Fetch);
                return [];
            }
        }

        var missing = Remaining(spool.Fetch);
        if (attempt < AttemptsMax)
            return [.. missing.OrderBy(span => span.Span.Id.Value)];
        missing.FindAll(span => span.Span.Id.Value < spool.Frontier).ForEach(FailMismatched);
        return [];
    }

    private static Action<ReadOnlyMemory<byte>> Watch(SpanFetch fetch, PassingBlob? whole)
    {
        var sinceProlonged = 0;
        return bytes =>
        {
            whole?.Take(bytes.Span);
            sinceProlonged += bytes.Length;
            if (sinceProlonged < ProlongingBytes)
                return;
            sinceProlonged = 0;
            fetch.Prolong();
        };
    }

    // False if it was given up on the way.
    private async Task<bool> PassAsync(SpanSpool spool, SpanCutter cutter, PassingBlob? whole, int attempt)
    {
        for (var id = spool.Frontier; id < _blob.Spans.Count; id++)
        {
            var span = _blob.Spans[new SpanId(id)];
            if (span.CompressedEnd > spool.EndExclusive)
                break;
            var bytes = await cutter.NextAsync(span, spool.Fetch.CancellationToken);
            if (!TakePassing(spool, span, bytes.Span, attempt))
                whole?.Contradict();
            if (!GivesUp(spool))
                continue;
            BlobsLog.SpoolGivenUp(_blob.Logger, _blob.Layer, id + 1, _blob.Spans.Count);
            return false;
        }

        return true;
    }

    // False if the bytes are not what the span's digest says, even where the span is here by other bytes that are.
    private bool TakePassing(SpanSpool spool, in LayerSpan span, ReadOnlySpan<byte> bytes, int attempt)
    {
        var isHere = _blob.IsVerified(span.Id);
        var matches = isHere ? _blob.Matches(span.Id, bytes) : _blob.Verify(span.Id, bytes);
        var isStored = isHere || (matches && _blob.TryStore(span, bytes));
        var isGood = isHere || matches;
        if (!isGood)
            BlobsLog.FetchedSpanDamaged(_blob.Logger, _blob.Layer, span.Id, span.CompressedOffset, span.CompressedLength, attempt);
        PendingSpan? pending;
        bool isWanted;
        lock (_gate)
        {
            // Perhaps that of another fetch, which is still to be asked for: it came sooner this way.
            pending = _pending.GetValueOrDefault(span.Id.Value);
            isWanted = isGood && pending is { Waiters: > 0 };
            if (isGood && pending is not null)
                TryEnd(pending);
            spool.Passed(span, isGood, pending);
        }

        if (isGood)
            pending?.Arrive(isStored || !isWanted ? null : bytes.ToArray());
        return matches;
    }

    private bool GivesUp(SpanSpool spool)
    {
        lock (_gate)
        {
            if (spool.UnwantedBytes == 0 || (spool.UnwantedBytes <= _options.UnwantedBytesMax && _blob.CanStore))
                return false;
            _spool = null;
            Abandon(spool.Fetch);
            return true;
        }
    }

    private async Task CompleteAsync(SpanSpool spool, PassingBlob whole)
    {
        if (!whole.IsLayer(out var actual))
        {
            BlobsLog.SpoolIsNotTheLayer(_blob.Logger, _blob.Layer, actual);
            return;
        }

        // The blob is right: where a span is not what its digest says, the digest is wrong, and asking again is in vain.
        EndSpool(spool);
        Remaining(spool.Fetch).ForEach(FailMismatched);
        var isComplete = await Task.Run(whole.Keep);
        BlobsLog.SpoolEnds(_blob.Logger, _blob.Layer, isComplete);
    }

    private void EndSpool(SpanSpool spool)
    {
        lock (_gate)
        {
            if (_spool == spool)
                _spool = null;
            spool.Fetch.IsSpool = false;
        }
    }
}
