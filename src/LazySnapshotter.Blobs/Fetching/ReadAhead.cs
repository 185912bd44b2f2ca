using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// Finds sequential readers and says how far ahead of them to fetch. There are no file handles to tell readers apart, so
// the last few places where somebody read are remembered, and a read that continues at one of them is the same reader.
// Fetching goes as far ahead as the reader has come, up to a limit: at most as much is fetched in vain as was read, and
// a random read fetches nothing but its own spans. Called by any thread; one short lock.
internal sealed class ReadAhead(SpanTable spans, int bytesMax)
{
    private const int ReadersMax = 16;

    // The kernel sends several reads of a sequential reader at once, and threads may swap them: largest FUSE read.
    private const int SwapDistance = 1 << 20;

    private readonly Lock _gate = new();
    private readonly List<Reader> _readers = [];
    private long _clock;

    /// <summary>Notes a read; returns the last span to fetch for it, <paramref name="lastSpan"/> or one beyond.</summary>
    /// <param name="lookAheadEnd">No reader goes beyond this uncompressed offset: the end of the file.</param>
    public int Advance(long uncompressedOffset, int length, int lastSpan, long lookAheadEnd)
    {
        if (bytesMax == 0)
            return lastSpan;
        lock (_gate)
        {
            var reader = Find(uncompressedOffset, lastSpan);
            var end = uncompressedOffset + length;
            if (end > reader.Next)
            {
                reader.Consumed += Math.Min(length, end - reader.Next);
                reader.Next = end;
            }

            return reader.ReadCount++ == 0 ? lastSpan : Extend(reader, lastSpan, lookAheadEnd);
        }
    }

    private Reader Find(long uncompressedOffset, int lastSpan)
    {
        foreach (var reader in _readers)
        {
            if (Math.Abs(uncompressedOffset - reader.Next) > SwapDistance)
                continue;
            reader.LastUsed = ++_clock;
            return reader;
        }

        if (_readers.Count == ReadersMax)
            _readers.Remove(_readers.MinBy(reader => reader.LastUsed)!);
        var added = new Reader { Next = uncompressedOffset, LastSpan = lastSpan, LastUsed = ++_clock };
        _readers.Add(added);
        return added;
    }

    private int Extend(Reader reader, int lastSpan, long lookAheadEnd)
    {
        var consumed = (long)(reader.Consumed * ((double)spans.CompressedLength / spans.UncompressedLength));
        var window = Math.Min(consumed, bytesMax);
        var position = spans[new SpanId(lastSpan)].CompressedEnd;
        reader.LastSpan = Math.Max(reader.LastSpan, lastSpan);
        // Half a window in steps: requests stay large and the reader does not reach their end.
        if (spans[new SpanId(reader.LastSpan)].CompressedEnd - position > window / 2)
            return lastSpan;
        var target = reader.LastSpan;
        while (target + 1 < spans.Count)
        {
            var next = spans[new SpanId(target + 1)];
            if (next.CompressedEnd - position > window || next.UncompressedOffset >= lookAheadEnd)
                break;
            target++;
        }

        if (target == reader.LastSpan)
            return lastSpan;
        reader.LastSpan = target;
        return target;
    }

    private sealed class Reader
    {
        public long Next;        // uncompressed offset behind the furthest read
        public long Consumed;    // uncompressed bytes it has come
        public int LastSpan;     // fetched, or asked for, up to here
        public int ReadCount;
        public long LastUsed;
    }
}
