using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// How much comes along when a read misses: a program that starts reads one thing after the other, and each miss is a round
// trip in which the link stands still. Sizes are in *round trips*, in what the link could have brought in that time, so that
// no rule costs a slow link more time than a fast one. What is asked for in vain is bounded by evidence of use. Three rules,
// the largest applies:
//
//   neighbours   always: half a round trip from the read on, as what lies together in a tar is mostly used together; more
//                where what came along before was used (half of all that was used, less what was not)
//   file         a file of which a byte is read is mostly read whole (programs and libraries are): its rest, up to 8 round trips
//   rest         the third miss in a row: all that is missing of the layer, if that comes within 16 round trips
//
// Layer states: untouched -> sparse (first miss) -> dense (third miss, none more than DenseGap after the one before) -> asked for
// as a whole, if it is small enough; else it stays dense. A pause makes it sparse again.
// Threads: NoteRead by any; OnMiss under the fetcher's gate. Lock: _gate; LinkEstimate's is taken inside it.
internal sealed class FetchPlan(SpanTable spans, LinkEstimate link, SpanFetcherOptions options, TimeProvider? clock = null)
{
    private const int FileRoundTrips = 8;
    private const int RestRoundTrips = 16;
    private const int DenseMisses = 3;

    /// <summary>
    /// Bridging a gap is cheaper than asking twice by so little that an estimate that is far too high must not cost more.
    /// </summary>
    private const long BridgedBytesMax = 1 << 20;

    /// <summary>Misses of a container that starts follow each other within some round trips, on any link.</summary>
    private static readonly TimeSpan DenseGap = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private readonly bool[] _isUsed = new bool[spans.Count];
    private readonly bool[] _isAsked = new bool[spans.Count];
    private long _usedBytes;
    private long _askedBytes;
    private int _misses;
    private long _missedAt;

    /// <summary>Somebody reads these spans, wherever they are.</summary>
    public void NoteRead(int first, int last)
    {
        for (var span = first; span <= last; span++)
        {
            if (Volatile.Read(ref _isUsed[span]))
                continue;
            lock (_gate)
            {
                if (!_isUsed[span])
                    _usedBytes += spans[new SpanId(span)].CompressedLength;
                Volatile.Write(ref _isUsed[span], true);
            }
        }
    }

    /// <summary>A span is here, or on its way; what was damaged and comes again counts once.</summary>
    public void NoteAsked(in LayerSpan span) => NoteAsked(span, isAsked: true);

    /// <summary>A span that was on its way did not come.</summary>
    public void NoteGone(in LayerSpan span) => NoteAsked(span, isAsked: false);

    /// <summary>A read needs spans of which at least one is neither here nor on its way: what to ask for.</summary>
    /// <param name="fileEnd">Uncompressed offset behind the file that is read; <see cref="long.MaxValue"/> if that is not known.</param>
    public FetchExtent OnMiss(int first, int last, long fileEnd)
    {
        lock (_gate)
        {
            CountMiss();
            var roundTripBytes = link.RoundTripBytes ?? options.NeighbourBytesMax / 2;
            if (options.RestBytesMax > 0 && _misses >= DenseMisses
                && spans.CompressedLength - _askedBytes <= Math.Min(RestRoundTrips * roundTripBytes, options.RestBytesMax))
                return new FetchExtent(0, spans.Count - 1, options.RestBytesMax, GapBytesMax: Math.Min(roundTripBytes, BridgedBytesMax));

            var start = spans[new SpanId(first)].CompressedOffset;
            var neighbours = Extend(last, start + NeighbourBytes(roundTripBytes));
            var file = FileLast(last, fileEnd);
            var fileBytes = spans[new SpanId(file)].CompressedEnd - start;
            if (fileBytes > Math.Min(FileRoundTrips * roundTripBytes, options.FileBytesMax))
                (file, fileBytes) = (last, 0);
            return new FetchExtent(
                first, Math.Max(neighbours, file), Math.Max(options.RequestBytesMax, fileBytes),
                GapBytesMax: Math.Clamp(roundTripBytes / 4, SpanFetcherOptions.GapBytesMax, BridgedBytesMax));
        }
    }

    private void NoteAsked(in LayerSpan span, bool isAsked)
    {
        lock (_gate)
        {
            if (_isAsked[span.Id.Value] == isAsked)
                return;
            _isAsked[span.Id.Value] = isAsked;
            _askedBytes += isAsked ? span.CompressedLength : -span.CompressedLength;
        }
    }

    private void CountMiss()
    {
        var now = _clock.GetTimestamp();
        if (_misses > 0 && _clock.GetElapsedTime(_missedAt, now) > DenseGap)
            _misses = 0;
        _misses++;
        _missedAt = now;
    }

    private long NeighbourBytes(long roundTripBytes)
    {
        if (options.NeighbourBytesMax == 0)
            return 0;
        var always = Math.Min(options.NeighbourBytesMax, roundTripBytes / 2);
        var unused = Math.Max(0, _askedBytes - _usedBytes);
        return Math.Clamp(
            _usedBytes / 2 - unused, always, Math.Max(always, Math.Min(FileRoundTrips * roundTripBytes, options.RequestBytesMax)));
    }

    private int FileLast(int last, long fileEnd) =>
        fileEnd == long.MaxValue || fileEnd <= 0 ? last : Math.Max(last, spans.Find(Math.Min(fileEnd, spans.UncompressedLength) - 1).Value);

    // The last span that ends at or before an offset of the blob.
    private int Extend(int last, long end)
    {
        while (last + 1 < spans.Count && spans[new SpanId(last + 1)].CompressedEnd <= end)
            last++;
        return last;
    }
}

/// <param name="First">May lie before the read's own first span.</param>
/// <param name="Last">At or behind its last.</param>
/// <param name="RequestBytesMax">The longest single request for it.</param>
/// <param name="GapBytesMax">What is not missing between two missing spans is received once more if it is less than this.</param>
internal readonly record struct FetchExtent(int First, int Last, long RequestBytesMax, long GapBytesMax);
