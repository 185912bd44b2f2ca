using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Fetching;

// Brings missing spans of one layer: few, large, single-range requests; each span verified, stored and handed to those
// who wait for it the moment its last byte arrives. A span is on its way at most once (_pending). Requests run on the
// thread pool, never on the thread that asks. Lock: _gate, never held across I/O; SpanStates' gate is not taken under it.
//
// A source that answers with more than it was asked for, with the whole blob in the end, is taken at its word: one such
// body, the *spool*, brings everything it has, and whoever wants a span ahead of it waits for it (SpanFetcher.Spool).
//
// A fetch ends early when a demanded span is missing and nobody waits any more; read-ahead goes on. Nothing is
// remembered of a failure: the next read tries again.
public sealed partial class SpanFetcher : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, PendingSpan> _pending = [];
    private readonly HashSet<SpanFetch> _fetches = [];
    private readonly LayerBlob _blob;
    private readonly IBlobReader _source;
    private readonly SpanFetcherOptions _options;
    private readonly ReadAhead _readAhead;
    private readonly FetchPlan _plan;
    private readonly LinkEstimate _link;
    private SpanSpool? _spool;
    private bool _isDisposed;

    /// <param name="link">Shared by all layers that come the same way.</param>
    public SpanFetcher(LayerBlob blob, IBlobReader source, SpanFetcherOptions? options = null, LinkEstimate? link = null)
    {
        if (source.Digest != blob.Layer)
            throw new ArgumentException($"the source has {source.Digest}, the layer is {blob.Layer}", nameof(source));
        _blob = blob;
        _source = source;
        _options = options ?? new SpanFetcherOptions();
        _readAhead = new ReadAhead(blob.Spans, _options.ReadAheadBytesMax);
        _link = link ?? new LinkEstimate();
        _plan = new FetchPlan(blob.Spans, _link, _options);
        for (var span = 0; span < blob.Spans.Count; span++)
        {
            if (blob.IsPresent(new SpanId(span)))
                _plan.NoteAsked(blob.Spans[new SpanId(span)]);
        }
    }

    internal int RequestBytesMax => _options.RequestBytesMax;

    /// <summary>Notes a read and says up to which span fetching should go for it; its own last span if not beyond.</summary>
    internal int NoteRead(long uncompressedOffset, int length, int lastSpan, long lookAheadEnd)
    {
        if (_blob.IsFull || !_blob.CanStore)
            return lastSpan;
        _plan.NoteRead(_blob.Spans.RunStart(_blob.Spans.Find(uncompressedOffset)).Value, lastSpan);
        return _readAhead.Advance(uncompressedOffset, length, lastSpan, lookAheadEnd);
    }

    /// <summary>
    /// Sees to it that the spans are on their way; the rest up to <paramref name="aheadLast"/> comes along, and what else is worth it.
    /// </summary>
    /// <param name="fileEnd">Uncompressed offset behind the file that is read, if it is a file.</param>
    /// <param name="urgency">Of the spans up to <paramref name="last"/>. What is on its way for less is raised to it.</param>
    internal SpanDemand Demand(int first, int last, int aheadLast, long fileEnd = long.MaxValue, ReadUrgency urgency = ReadUrgency.Demanded)
    {
        var demand = new SpanDemand(this);
        var joined = new HashSet<SpanFetch>();
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var extent = new FetchExtent(first, aheadLast, _options.RequestBytesMax, SpanFetcherOptions.GapBytesMax);
            if (urgency == ReadUrgency.Demanded && _blob.CanStore && IsMiss(first, last))
            {
                extent = _plan.OnMiss(first, last, fileEnd);
                extent = extent with { Last = Math.Max(extent.Last, aheadLast) };
            }

            var missing = new List<int>();
            for (var span = first; span <= extent.Last; span++)
                Want(span, isDemanded: span <= last, demand, joined, missing);
            Start(missing, extent, last, urgency);

            // What lies before the read comes beside it, not in front of it.
            missing.Clear();
            for (var span = extent.First; span < first; span++)
                Want(span, isDemanded: false, demand, joined, missing);
            Start(missing, extent, demandedLast: -1, urgency);
        }

        foreach (var fetch in joined)
            fetch.Priority.RaiseTo(urgency);
        return demand;
    }

    /// <summary>Fetches spans nobody waits for yet.</summary>
    internal void FetchAhead(int first, int last)
    {
        if (first <= last)
            Demand(first, first - 1, last).Dispose();
    }

    internal void Detach(SpanDemand demand)
    {
        List<SpanFetch>? unwanted = null;
        lock (_gate)
        {
            foreach (var pending in demand.Pending)
            {
                if (pending.IsOver)
                    continue;
                pending.Waiters--;
                if (!pending.Fetch.IsAbandoned && pending.Fetch.IsUnwanted)
                {
                    Abandon(pending.Fetch);
                    (unwanted ??= []).Add(pending.Fetch);
                }
            }

            demand.Pending.Clear();
        }

        unwanted?.ForEach(fetch => fetch.Cancel());
    }

    /// <summary>Stops every fetch; whoever waits gets an <see cref="OperationCanceledException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        SpanFetch[] fetches;
        lock (_gate)
        {
            _isDisposed = true;
            fetches = [.. _fetches];
            foreach (var fetch in fetches)
                Abandon(fetch);
        }

        foreach (var fetch in fetches)
            fetch.Cancel();
        await Task.WhenAll(fetches.Select(fetch => fetch.Run));
        _leading.Dispose();
    }

    private bool IsMiss(int first, int last)
    {
        for (var span = first; span <= last; span++)
        {
            if (!_pending.ContainsKey(span) && !_blob.IsPresent(new SpanId(span)))
                return true;
        }

        return false;
    }

    // A span that is not here is waited for, if it is demanded, and goes on the list if it is not on its way.
    private void Want(int span, bool isDemanded, SpanDemand demand, HashSet<SpanFetch> joined, List<int> missing)
    {
        if (_pending.TryGetValue(span, out var pending))
        {
            if (!isDemanded)
                return;
            if (joined.Add(pending.Fetch))
                pending.Fetch.Join();
            pending.Waiters++;
            demand.Pending.Add(pending);
        }
        else if (!_blob.IsPresent(new SpanId(span)))
        {
            var isSpooled = SpoolIsSoonest(_blob.Spans[new SpanId(span)]);
            if (isSpooled && !isDemanded)
                return;
            pending = new PendingSpan(_blob.Spans[new SpanId(span)], isDemanded);
            _pending.Add(span, pending);
            _plan.NoteAsked(pending.Span);
            if (isDemanded)
                demand.Pending.Add(pending);
            if (isSpooled)
            {
                if (joined.Add(_spool!.Fetch))
                    _spool.Fetch.Join();
                _spool.Attach(pending);
            }
            else
            {
                missing.Add(span);
            }
        }
    }

    private void Start(List<int> missing, in FetchExtent extent, int demandedLast, ReadUrgency urgency)
    {
        foreach (var range in SpanRange.Coalesce(_blob.Spans, missing, extent.RequestBytesMax, extent.GapBytesMax))
            Start(range, missing, range.First <= demandedLast ? urgency : ReadUrgency.Predicted);
    }

    private void Start(SpanRange range, List<int> missing, ReadUrgency urgency)
    {
        var spans = missing.Where(span => span >= range.First && span <= range.Last).Select(span => _pending[span]).ToList();
        var fetch = new SpanFetch(spans, urgency, _options.Deadline);
        foreach (var span in spans)
            span.Fetch = fetch;
        _blob.Statistics.Count(ReadCount.BytesReadAhead, spans.Where(span => !span.IsDemanded).Sum(span => span.Span.CompressedLength));
        _fetches.Add(fetch);
        fetch.Run = Task.Run(() => RunAsync(fetch));
    }

    private void Abandon(SpanFetch fetch)
    {
        fetch.IsAbandoned = true;
        foreach (var span in fetch.Spans)
        {
            if (!TryEnd(span))
                continue;
            _plan.NoteGone(span.Span);
            span.GiveUp();
        }
    }

    // Takes a span out of the table; false if it is over already. Under _gate.
    private bool TryEnd(PendingSpan span)
    {
        if (span.IsOver)
            return false;
        span.IsOver = true;
        _pending.Remove(span.Span.Id.Value);
        return true;
    }
}
