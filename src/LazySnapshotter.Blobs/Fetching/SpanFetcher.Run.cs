using System.Diagnostics;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

// One fetch from request to last span. A transfer that breaks off, and a span with a wrong digest, get one fresh
// request (a cache on the way may have been bad); a source that cannot be opened does not, nor does one that says that it
// has asked again in vain: retrying that is the registry client's business, which knows why.
public sealed partial class SpanFetcher
{
    private const int AttemptsMax = 2;

    private async Task RunAsync(SpanFetch fetch)
    {
        // A source that does not heed its token keeps this method, not those who wait.
        await using var deadline = fetch.CancellationToken.UnsafeRegister(_ => FailRest(fetch, TimeIsUp(fetch, null)), null);
        try
        {
            var missing = await TransferAsync(fetch, Remaining(fetch), attempt: 1);
            for (var attempt = 2; missing.Count > 0; attempt++)
                missing = await TransferAgainAsync(fetch, missing, attempt);
        }
        catch (Exception e)
        {
            FailRest(fetch, fetch.CancellationToken.IsCancellationRequested ? TimeIsUp(fetch, e) : e);
        }
        finally
        {
            lock (_gate)
                _fetches.Remove(fetch);
            fetch.Dispose();
        }
    }

    private TimeoutException TimeIsUp(SpanFetch fetch, Exception? cause) => new(
        fetch.IsSpool
            ? $"not {ProlongingBytes} bytes more in {_options.Deadline.TotalSeconds} s"
            : $"not done after {_options.Deadline.TotalSeconds} s", cause);

    private async Task<List<PendingSpan>> TransferAgainAsync(SpanFetch fetch, List<PendingSpan> missing, int attempt)
    {
        var still = new List<PendingSpan>();
        foreach (var range in SpanRange.Coalesce(
            _blob.Spans, missing.Select(span => span.Span.Id.Value), _options.RequestBytesMax, gapBytesMax: 0))
        {
            var spans = missing.FindAll(span => span.Span.Id.Value >= range.First && span.Span.Id.Value <= range.Last);
            still.AddRange(await TransferAsync(fetch, spans, attempt));
        }

        return still;
    }

    // Returns the spans that should be tried again.
    private async Task<List<PendingSpan>> TransferAsync(SpanFetch fetch, List<PendingSpan> spans, int attempt)
    {
        var asked = Stopwatch.GetTimestamp();
        var answer = await AskAsync(fetch, spans);
        if (answer is null)
            return [];
        await using var range = answer.Range;
        var answered = Stopwatch.GetTimestamp();
        var before = _link.Bytes;
        var again = answer.Spool is { } spool
            ? await SpoolAsync(spool, range, attempt)
            : await CutAsync(fetch, range, answer.Spans, attempt);
        if (again.Count == 0)
        {
            // What other requests brought meanwhile came over the same link; what was announced and did not come, did not.
            _link.Note(Stopwatch.GetElapsedTime(asked, answered), _link.Bytes - before, Stopwatch.GetElapsedTime(answered));
        }

        return again;
    }

    private async Task<List<PendingSpan>> CutAsync(SpanFetch fetch, BlobRange range, List<PendingSpan> spans, int attempt)
    {
        var again = new List<PendingSpan>();
        using var cutter = new SpanCutter(range.Body, range.Offset, _blob.Statistics, _link);
        for (var i = 0; i < spans.Count; i++)
        {
            try
            {
                var bytes = await cutter.NextAsync(spans[i].Span, fetch.CancellationToken);
                if (!Accept(spans[i], bytes.Span, attempt))
                    again.Add(spans[i]);
            }
            catch (IOException e) when (attempt < AttemptsMax && !IsFinal(e) && !fetch.CancellationToken.IsCancellationRequested)
            {
                BlobsLog.TransferBroke(_blob.Logger, _blob.Layer, spans[i].Span.Id, attempt, e.Message);
                again.AddRange(spans[i..]);
                break;
            }
        }

        return again;
    }

    // False if the span has a wrong digest and may be tried again.
    private bool Accept(PendingSpan pending, ReadOnlySpan<byte> bytes, int attempt)
    {
        var span = pending.Span;
        if (!_blob.Verify(span.Id, bytes))
        {
            BlobsLog.FetchedSpanDamaged(_blob.Logger, _blob.Layer, span.Id, span.CompressedOffset, span.CompressedLength, attempt);
            if (attempt < AttemptsMax)
                return false;
            FailMismatched(pending);
            return true;
        }

        var isStored = _blob.TryStore(span, bytes);
        bool isWanted;
        lock (_gate)
            isWanted = TryEnd(pending) && pending.Waiters > 0;
        // After the gate: a reader that comes now finds the span present, or, if the disk refused it, fetches it itself.
        pending.Arrive(isStored || !isWanted ? null : bytes.ToArray());
        return true;
    }

    private void FailMismatched(PendingSpan pending)
    {
        _blob.NoteMismatch(pending.Span.Id);
        Fail(pending, new InvalidDataException(
            $"the bytes received do not have the digest sha256:{Convert.ToHexStringLower(_blob.Spans.DigestOf(pending.Span.Id))}"));
    }

    // The source has asked again itself, as often as is right.
    private static bool IsFinal(IOException cause) => cause is ISourceFailure { IsFinal: true };

    private void Fail(PendingSpan pending, Exception cause)
    {
        bool isEnding;
        lock (_gate)
        {
            isEnding = TryEnd(pending);
            if (isEnding)
                _plan.NoteGone(pending.Span);
        }

        if (isEnding)
            pending.Fail(new SpanFetchException(_blob.Layer, pending.Span, cause));
    }

    private void FailRest(SpanFetch fetch, Exception cause)
    {
        PendingSpan[] rest;
        bool isUnnoticed;
        lock (_gate)
        {
            rest = [.. fetch.Spans];
            isUnnoticed = !fetch.IsAbandoned && !fetch.IsAwaited && rest.Length > 0;
        }

        if (isUnnoticed)
            BlobsLog.ReadAheadFailed(_blob.Logger, _blob.Layer, rest[0].Span.Id.Value, rest[^1].Span.Id.Value, cause.Message);
        foreach (var span in rest)
            Fail(span, cause);
    }
}
