using System.Buffers;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Reading;

// Reads a layer's tar at any offset: spans that are here are inflated and copied on the thread that asks, without a
// wait; missing ones, and what their decoder lacks, are demanded together and the rest of the read goes on when they come.
// Every byte was verified as part of its compressed span. Safe for concurrent use; owns nothing.
//
// A continued span takes its history from the spans before it: as far back as they lie inflated in the cache, 32 KiB of that being
// enough, else from the start of its run. Reading on finds it in the cache.
public sealed class SpanReader
{
    // A stored span may prove damaged, or be thrown out, between its arrival and its use. More often than this is no accident.
    private const int RoundsMax = 3;

    private readonly LayerBlob _blob;
    private readonly SpanFetcher _fetcher;
    private readonly SpanCache _cache;
    private readonly ISpanDecoder _decoder;

    public SpanReader(LayerBlob blob, SpanFetcher fetcher, SpanCache cache, ISpanDecoder decoder)
    {
        _blob = blob;
        _fetcher = fetcher;
        _cache = cache;
        _decoder = decoder;
    }

    /// <inheritdoc cref="ReadAsync(long, Memory{byte}, long, CancellationToken)"/>
    public ValueTask<int> ReadAsync(long uncompressedOffset, Memory<byte> destination, CancellationToken cancellationToken) =>
        ReadAsync(uncompressedOffset, destination, long.MaxValue, cancellationToken);

    /// <summary>
    /// Reads the layer's tar. The destination is filled, except at the end of the layer; 0 behind it. Completes
    /// synchronously if everything is here.
    /// </summary>
    /// <param name="lookAheadEnd">Nothing behind this uncompressed offset (the file's end) is worth fetching ahead.</param>
    /// <exception cref="SpanFetchException">A span cannot be had; the next read tries again.</exception>
    /// <exception cref="InvalidDataException">Verified bytes do not inflate to what the index says.</exception>
    public ValueTask<int> ReadAsync(
        long uncompressedOffset, Memory<byte> destination, long lookAheadEnd, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(uncompressedOffset);
        var length = (int)Math.Clamp(_blob.Spans.UncompressedLength - uncompressedOffset, 0, destination.Length);
        if (length == 0)
            return new ValueTask<int>(0);
        destination = destination[..length];
        try
        {
            var lastSpan = _blob.Spans.Find(uncompressedOffset + length - 1).Value;
            var aheadLast = _fetcher.NoteRead(uncompressedOffset, length, lastSpan, lookAheadEnd);
            var done = CopyPresent(uncompressedOffset, destination.Span);
            if (done < length)
                return ReadMissingAsync(uncompressedOffset, destination, done, aheadLast, lookAheadEnd, cancellationToken);
            if (aheadLast > lastSpan)
                _fetcher.FetchAhead(lastSpan + 1, aheadLast);
            _blob.Statistics.Count(ReadCount.BytesServed, length);
            return new ValueTask<int>(length);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<int>(e);
        }
    }

    /// <summary>Fetches and stores what is missing of a range without inflating it, as something that will be wanted.</summary>
    /// <exception cref="SpanFetchException">A span cannot be had.</exception>
    /// <exception cref="IOException">The disk does not keep what was fetched.</exception>
    public async Task WarmAsync(long uncompressedOffset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(uncompressedOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        length = Math.Min(length, _blob.Spans.UncompressedLength - uncompressedOffset);
        if (length <= 0)
            return;
        var last = _blob.Spans.Find(uncompressedOffset + length - 1).Value;
        for (var first = _blob.Spans.RunStart(_blob.Spans.Find(uncompressedOffset)).Value; first <= last;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batchLast = BatchLast(first, last);
            using var demand = _fetcher.Demand(first, batchLast, batchLast, urgency: ReadUrgency.Predicted);
            for (; first <= batchLast; first++)
            {
                if (await demand.WaitAsync(new SpanId(first), cancellationToken) is not null)
                    throw new IOException($"{_blob.Layer}: span {first} was fetched, but the disk does not take it");
            }
        }
    }

    private int CopyPresent(long uncompressedOffset, Span<byte> destination)
    {
        using var history = SpanHistory.Rent();
        var done = 0;
        while (done < destination.Length)
        {
            var span = _blob.Spans[_blob.Spans.Find(uncompressedOffset + done)];
            var copied = TryCopy(span, history, uncompressedOffset + done, destination[done..], compressed: null);
            if (copied == 0)
                break;
            done += copied;
        }

        return done;
    }

    private async ValueTask<int> ReadMissingAsync(
        long uncompressedOffset, Memory<byte> destination, int done, int aheadLast, long fileEnd, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var history = SpanHistory.Rent();
        var last = _blob.Spans.Find(uncompressedOffset + destination.Length - 1).Value;
        var rounds = 0;
        while (done < destination.Length)
        {
            var doneBefore = done;
            var wanted = _blob.Spans.Find(uncompressedOffset + done);
            var first = history.Next == wanted ? wanted.Value : HistoryStart(wanted);
            var batchLast = Math.Max(BatchLast(first, last), wanted.Value);
            using (var demand = _fetcher.Demand(first, batchLast, batchLast == last ? Math.Max(last, aheadLast) : batchLast, fileEnd))
            {
                var preparing = PrepareAsync(first, batchLast, cancellationToken); // beside the spans, not behind them
                for (var i = first; i <= batchLast; i++)
                {
                    var compressed = await demand.WaitAsync(new SpanId(i), cancellationToken);
                    await preparing;
                    if (i < wanted.Value)
                    {
                        // What the disk keeps is inflated if it is needed.
                        if (compressed is not null && TryInflate(_blob.Spans[new SpanId(i)], history, compressed) is { } inflated)
                            _cache.Release(inflated);
                        continue;
                    }

                    var copied = TryCopy(
                        _blob.Spans[new SpanId(i)], history, uncompressedOffset + done, destination.Span[done..], compressed);
                    if (copied == 0)
                        break;
                    done += copied;
                }
            }

            rounds = done > doneBefore ? 0 : rounds + 1;
            if (rounds == RoundsMax)
                throw new IOException($"{_blob.Layer}: span {first} was fetched {rounds} times and is damaged on disk each time");
        }

        _blob.Statistics.Count(ReadCount.BytesServed, done);
        return done;
    }

    private Task PrepareAsync(int first, int last, CancellationToken cancellationToken)
    {
        List<Task>? preparing = null;
        for (var i = first; i <= last; i++)
        {
            if (!_decoder.IsReady(new SpanId(i)))
                (preparing ??= []).Add(_decoder.PrepareAsync(new SpanId(i), cancellationToken).AsTask());
        }

        return preparing is null ? Task.CompletedTask : Task.WhenAll(preparing);
    }

    // As many spans as one request may have, but one at least: a read of any length fetches little at a time.
    private int BatchLast(int first, int last)
    {
        var limit = _blob.Spans[new SpanId(first)].CompressedOffset + _fetcher.RequestBytesMax;
        var batchLast = first;
        while (batchLast < last && _blob.Spans[new SpanId(batchLast + 1)].CompressedEnd <= limit)
            batchLast++;
        return batchLast;
    }

    // Copies what the span has of the wanted bytes; 0 if it is not here.
    private int TryCopy(in LayerSpan span, SpanHistory history, long uncompressedOffset, Span<byte> destination, byte[]? compressed)
    {
        if (TryInflate(span, history, compressed) is not { } inflated)
            return 0;
        try
        {
            var bytes = inflated.Bytes[(int)(uncompressedOffset - span.UncompressedOffset)..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length)];
            bytes.CopyTo(destination);
            return bytes.Length;
        }
        finally
        {
            _cache.Release(inflated);
        }
    }

    // The span's entry in the cache, filled and to be released; null if the span, or what its run has before it, is not here.
    private CachedSpan? TryInflate(in LayerSpan span, SpanHistory history, byte[]? compressed)
    {
        var cached = _cache.TryAcquire(_blob, span.Id);
        var isFilled = false;
        try
        {
            if (cached is not { IsFilled: true })
            {
                if (!_decoder.IsReady(span.Id) || (compressed is null && !_blob.IsPresent(span.Id)) || !TryLoadHistory(span.Id, history))
                    return null;
                cached ??= _cache.Acquire(_blob, span);
            }

            isFilled = TryFill(cached, span, history, compressed);
            return isFilled ? cached : null;
        }
        finally
        {
            if (!isFilled && cached is not null)
                _cache.Release(cached);
        }
    }

    // Brings the history before a span that is continued.
    private bool TryLoadHistory(SpanId span, SpanHistory history)
    {
        if (!_blob.Spans.IsContinued(span) || history.Next == span)
            return true;
        for (var i = HistoryStart(span); i < span.Value; i++)
        {
            var before = _blob.Spans[new SpanId(i)];
            if (TryInflate(before, history, compressed: null) is not { } inflated)
                return false;
            try
            {
                if (history.Next != new SpanId(i + 1))
                    Pass(inflated, history); // it was inflated before
            }
            finally
            {
                _cache.Release(inflated);
            }
        }

        return true;
    }

    private void Pass(CachedSpan inflated, SpanHistory history)
    {
        var span = inflated.Key.Span;
        if (!_blob.Spans.IsContinued(span))
            _decoder.Start(span, history, inflated.Length);
        else if (history.Next != span)
            history.Start(span, []); // what comes before it is too far back
        history.Pass(inflated.Bytes, inflated.BlockAtEnd);
    }

    // The span from which on the history can be had from the cache: 32 KiB of it, or all that the run has.
    private int HistoryStart(SpanId span)
    {
        var (first, runStart) = (span.Value, _blob.Spans.RunStart(span).Value);
        for (var inflated = 0L; first > runStart && inflated < SpanHistory.LengthMax;)
        {
            var before = _blob.Spans[new SpanId(--first)];
            inflated = _cache.Contains(_blob, before.Id) ? inflated + before.UncompressedLength : 0;
        }

        return first;
    }

    private bool TryFill(CachedSpan cached, in LayerSpan span, SpanHistory history, byte[]? compressed)
    {
        if (!cached.IsFilled)
        {
            lock (cached.Gate)
            {
                if (!cached.IsFilled)
                    return cached.IsFilled = TryDecode(span, history, compressed, cached);
            }
        }

        _blob.Statistics.Count(ReadCount.CacheHits);
        return true;
    }

    private bool TryDecode(in LayerSpan span, SpanHistory history, byte[]? compressed, CachedSpan cached)
    {
        _blob.Statistics.Count(ReadCount.CacheMisses);
        if (compressed is not null)
        {
            Decode(span, history, compressed, cached);
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)span.CompressedLength);
        try
        {
            var stored = buffer.AsSpan(0, (int)span.CompressedLength);
            if (!_blob.TryRead(span, stored))
                return false;
            Decode(span, history, stored, cached);
            return true;
        }
        catch (InvalidDataException) when (!_blob.Recheck(span))
        {
            return false; // the file changed under us since the span was verified: absent now, fetched again
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Decode(in LayerSpan span, SpanHistory history, ReadOnlySpan<byte> compressed, CachedSpan cached)
    {
        try
        {
            _decoder.Decode(span.Id, history, compressed, cached.Bytes);
            cached.BlockAtEnd = history.Block;
        }
        catch (InvalidDataException e)
        {
            _blob.NoteMismatch(span.Id);
            throw new InvalidDataException(
                $"{_blob.Layer}: span {span.Id} (bytes {span.CompressedOffset} to {span.CompressedEnd - 1}) is intact but does not " +
                    $"inflate: {e.Message}", e);
        }
    }
}
