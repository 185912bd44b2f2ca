using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// A run of spans that travels as one range request. Spans inside that nobody misses are bridged: received and ignored.
internal readonly record struct SpanRange(int First, int Last)
{
    public long OffsetIn(SpanTable spans) => spans[new SpanId(First)].CompressedOffset;

    public long LengthIn(SpanTable spans) => spans[new SpanId(Last)].CompressedEnd - OffsetIn(spans);

    /// <summary>Makes few, large ranges of the missing spans, which rise.</summary>
    /// <param name="gapBytesMax">Spans in between that are not missing are bridged if they are shorter than this.</param>
    public static List<SpanRange> Coalesce(SpanTable spans, IEnumerable<int> missing, long rangeBytesMax, long gapBytesMax)
    {
        var ranges = new List<SpanRange>();
        foreach (var span in missing)
        {
            if (ranges.Count > 0 && CanExtend(spans, ranges[^1], span, rangeBytesMax, gapBytesMax))
                ranges[^1] = ranges[^1] with { Last = span };
            else
                ranges.Add(new SpanRange(span, span));
        }

        return ranges;
    }

    private static bool CanExtend(SpanTable spans, SpanRange range, int span, long rangeBytesMax, long gapBytesMax)
    {
        if (spans[new SpanId(span)].CompressedEnd - range.OffsetIn(spans) > rangeBytesMax)
            return false;
        var gap = spans[new SpanId(span)].CompressedOffset - spans[new SpanId(range.Last)].CompressedEnd;
        return span == range.Last + 1 || gap < gapBytesMax;
    }
}
