using System.Buffers;
using LazySnapshotter.Layers.Store;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Spans;

// Reads a layer's tar at any offset: spans that are here are inflated and copied on the thread that asks, without a
// wait; missing ones, and what their decoder lacks, are demanded together and the rest of the read goes on when they come. Every byte was verified as
// part of its compressed span. Safe for concurrent use; owns nothing.
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
    public ValueTask<int> ReadAsync(long uncompressedOffset, Memory<byte> destination, long lookAheadEnd, CancellationToken cancellationToken)
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
            _blob.Statistics.CountServed(length);
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
        for (var first = _blob.Spans.Find(uncompressedOffset).Value; first <= last;)
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
        var done = 0;
        while (done < destination.Length)
        {
            var span = _blob.Spans[_blob.Spans.Find(uncompressedOffset + done)];
            var copied = TryCopy(span, uncompressedOffset + done, destination[done..], compressed: null);
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
        var last = _blob.Spans.Find(uncompressedOffset + destination.Length - 1).Value;
        var rounds = 0;
        while (done < destination.Length)
        {
            var doneBefore = done;
            var first = _blob.Spans.Find(uncompressedOffset + done).Value;
            var batchLast = BatchLast(first, last);
            using (var demand = _fetcher.Demand(first, batchLast, batchLast == last ? Math.Max(last, aheadLast) : batchLast, fileEnd))
            {
                var preparing = PrepareAsync(first, batchLast, cancellationToken); // beside the spans, not behind them
                for (var i = first; i <= batchLast; i++)
                {
                    var compressed = await demand.WaitAsync(new SpanId(i), cancellationToken);
                    await preparing;
                    var copied = TryCopy(_blob.Spans[new SpanId(i)], uncompressedOffset + done, destination.Span[done..], compressed);
                    if (copied == 0)
                        break;
                    done += copied;
                }
            }

            rounds = done > doneBefore ? 0 : rounds + 1;
            if (rounds == RoundsMax)
                throw new IOException($"{_blob.Layer}: span {first} was fetched {rounds} times and is damaged on disk each time");
        }

        _blob.Statistics.CountServed(done);
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
    private int TryCopy(in LayerSpan span, long uncompressedOffset, Span<byte> destination, byte[]? compressed)
    {
        var cached = _cache.TryAcquire(_blob, span.Id);
        if (cached is null)
        {
            if (!_decoder.IsReady(span.Id) || (compressed is null && !_blob.IsPresent(span.Id)))
                return 0;
            cached = _cache.Acquire(_blob, span);
        }

        try
        {
            if (!TryFill(cached, span, compressed))
                return 0;
            var bytes = cached.Bytes[(int)(uncompressedOffset - span.UncompressedOffset)..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length)];
            bytes.CopyTo(destination);
            return bytes.Length;
        }
        finally
        {
            _cache.Release(cached);
        }
    }

    private bool TryFill(CachedSpan cached, in LayerSpan span, byte[]? compressed)
    {
        if (!cached.IsFilled)
        {
            lock (cached.Gate)
            {
                if (!cached.IsFilled)
                    return cached.IsFilled = TryDecode(span, compressed, cached.Bytes);
            }
        }

        _blob.Statistics.CountCacheHit();
        return true;
    }

    private bool TryDecode(in LayerSpan span, byte[]? compressed, Span<byte> destination)
    {
        _blob.Statistics.CountCacheMiss();
        if (compressed is not null)
        {
            Decode(span, compressed, destination);
            return true;
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)span.CompressedLength);
        try
        {
            var stored = buffer.AsSpan(0, (int)span.CompressedLength);
            if (!_blob.TryRead(span, stored))
                return false;
            Decode(span, stored, destination);
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

    private void Decode(in LayerSpan span, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        try
        {
            _decoder.Decode(span.Id, compressed, destination);
        }
        catch (InvalidDataException e)
        {
            _blob.Doubt(span.Id);
            throw new InvalidDataException(
                $"{_blob.Layer}: span {span.Id} (bytes {span.CompressedOffset} to {span.CompressedEnd - 1}) is intact but does not inflate: {e.Message}", e);
        }
    }
}
