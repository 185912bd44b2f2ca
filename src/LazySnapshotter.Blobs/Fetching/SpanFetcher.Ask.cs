using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

// Whether to ask, and what the answer is. While nobody knows whether the source gives ranges, or it is known not to, one
// request goes ahead and the others wait for its head: should it bring the whole blob, they wait for that body and ask for
// nothing. A request that fails holds nobody: those behind it then go all at once, and fail for themselves.
public sealed partial class SpanFetcher
{
    private readonly SemaphoreSlim _leading = new(1);
    private volatile SpanFetch? _leader;
    private volatile bool _leaderFailed;

    /// <summary>An answer, with what it is to bring; or nothing, where nothing needs to be asked any more.</summary>
    private async Task<Answer?> AskAsync(SpanFetch fetch, List<PendingSpan> spans)
    {
        var leads = false;
        try
        {
            if (_source.GivesRanges != true && !_leaderFailed)
            {
                await WaitToLeadAsync(fetch);
                leads = _source.GivesRanges != true && !_leaderFailed;
                if (leads)
                    _leader = fetch;
                else
                    _leading.Release(); // it became known meanwhile
            }

            spans = StillToAsk(fetch, spans);
            if (spans.Count == 0)
                return null;
            return await OpenAsync(fetch, spans);
        }
        catch (IOException) when (leads)
        {
            _leaderFailed = true;
            throw;
        }
        finally
        {
            if (leads)
            {
                _leader = null;
                _leading.Release();
            }
        }
    }

    // Whoever leads is as urgent as those who wait behind it.
    private async Task WaitToLeadAsync(SpanFetch fetch)
    {
        using var raised = fetch.Priority.OnRaised(RaiseLeader);
        RaiseLeader();
        await _leading.WaitAsync(fetch.CancellationToken);

        void RaiseLeader() => _leader?.Priority.RaiseTo(fetch.Priority.Urgency);
    }

    private async Task<Answer?> OpenAsync(SpanFetch fetch, List<PendingSpan> spans)
    {
        var range = new SpanRange(spans[0].Span.Id.Value, spans[^1].Span.Id.Value);
        var (offset, length) = (range.OffsetIn(_blob.Spans), range.LengthIn(_blob.Spans));
        _blob.Statistics.Count(ReadCount.Requests);
        var answer = await _source.OpenRangeAsync(offset, length, fetch.Priority, fetch.CancellationToken);
        _leaderFailed = false;
        var end = answer.EndExclusive ?? _blob.Spans.CompressedLength;
        if (answer.Offset == offset && end == offset + length)
            return new Answer(answer, spans, Spool: null);

        SpanSpool? begun = null;
        List<PendingSpan> rest;
        SpanFetch? other;
        lock (_gate)
        {
            rest = GoOverToSpool(fetch, spans, out other);
            if (rest.Count > 0 && _spool is null && !fetch.IsAbandoned)
            {
                fetch.IsSpool = true;
                begun = _spool = new SpanSpool(fetch, FirstSpanFrom(answer.Offset), end);
            }
        }

        other?.Priority.RaiseTo(fetch.Priority.Urgency);
        if (rest.Count > 0)
            return new Answer(answer, rest, begun);
        await answer.DisposeAsync(); // another's body brings it all
        return null;
    }

    // Without those that came, failed, or went over to a spool meanwhile.
    private List<PendingSpan> StillToAsk(SpanFetch fetch, List<PendingSpan> spans)
    {
        List<PendingSpan> rest;
        SpanFetch? other;
        lock (_gate)
            rest = GoOverToSpool(fetch, spans, out other);
        other?.Priority.RaiseTo(fetch.Priority.Urgency);
        return rest;
    }

    // Under _gate. The other fetch, if any went over to it, is to be raised when the gate is left: listeners take locks.
    private List<PendingSpan> GoOverToSpool(SpanFetch fetch, List<PendingSpan> spans, out SpanFetch? other)
    {
        other = null;
        var rest = new List<PendingSpan>();
        foreach (var pending in spans)
        {
            if (pending.IsOver)
                continue;
            if (_spool is { } spool && spool.Fetch != fetch && SpoolIsSoonest(pending.Span))
            {
                fetch.Spans.Remove(pending);
                spool.Attach(pending);
                other = spool.Fetch;
            }
            else
            {
                rest.Add(pending);
            }
        }

        return rest;
    }

    // Far ahead of a frontier it is worth asking, if the source may by now give ranges (a pull-through cache that has the
    // blob meanwhile). Under _gate.
    private bool SpoolIsSoonest(in LayerSpan span) => _spool is { } spool && spool.Brings(span)
        && (_source.GivesRanges == false
            || span.CompressedOffset - _blob.Spans[new SpanId(spool.Frontier)].CompressedOffset <= _options.RequestBytesMax);

    private List<PendingSpan> Remaining(SpanFetch fetch)
    {
        lock (_gate)
            return fetch.Spans.FindAll(span => !span.IsOver);
    }

    private int FirstSpanFrom(long compressedOffset)
    {
        var first = 0;
        while (first < _blob.Spans.Count && _blob.Spans[new SpanId(first)].CompressedOffset < compressedOffset)
            first++;
        return first;
    }

    /// <param name="Spans">To be cut out of the range, if it is no spool.</param>
    private sealed record Answer(BlobRange Range, List<PendingSpan> Spans, SpanSpool? Spool);
}
