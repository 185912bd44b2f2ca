using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Store;

// A run of spans that travels as one range request. Spans inside that nobody misses are bridged: received and ignored.
internal readonly record struct SpanRange(int First, int Last)
{
    public long OffsetIn(SpanTable spans) => spans[new SpanId(First)].CompressedOffset;

    public long LengthIn(SpanTable spans) => spans[new SpanId(Last)].CompressedEnd - OffsetIn(spans);

    /// <summary>Makes few, large ranges of the missing spans, which rise.</summary>
    /// <param name="bridgeBefore">Gaps are bridged only in front of spans below this one.</param>
    public static List<SpanRange> Coalesce(SpanTable spans, IEnumerable<int> missing, int rangeBytesMax, int bridgeBefore)
    {
        var ranges = new List<SpanRange>();
        foreach (var span in missing)
        {
            if (ranges.Count > 0 && CanExtend(spans, ranges[^1], span, rangeBytesMax, bridgeBefore))
                ranges[^1] = ranges[^1] with { Last = span };
            else
                ranges.Add(new SpanRange(span, span));
        }

        return ranges;
    }

    private static bool CanExtend(SpanTable spans, SpanRange range, int span, int rangeBytesMax, int bridgeBefore)
    {
        if (spans[new SpanId(span)].CompressedEnd - range.OffsetIn(spans) > rangeBytesMax)
            return false;
        var gap = spans[new SpanId(span)].CompressedOffset - spans[new SpanId(range.Last)].CompressedEnd;
        return span == range.Last + 1 || (span < bridgeBefore && gap < SpanFetcherOptions.GapBytesMax);
    }
}
