using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Verify;

// Proves that every checkpoint lies where a deflate block starts, and at the offset in the tar that the index gives it:
// the boundaries of a straight pass go by, and each checkpoint must be one of them.
internal sealed class CheckpointProof
{
    private readonly SpanTable _spans;
    private int _next;

    public CheckpointProof(SpanTable spans)
    {
        _spans = spans;
        // A first span at bit 0 starts with the gzip header, not with a block.
        _next = spans.StartBit(new SpanId(0)) == 0 ? 1 : 0;
    }

    public CheckTally Checkpoints { get; } = new("checkpoints");

    public void BlockStart(long startBit, long uncompressedOffset)
    {
        while (_next < _spans.Count && _spans.StartBit(new SpanId(_next)) <= startBit)
        {
            var span = _spans[new SpanId(_next++)];
            if (_spans.IsContinued(span.Id))
                continue; // starts inside a block: that its contents come out is all there is to prove
            var isBlock = _spans.StartBit(span.Id) == startBit;
            Checkpoints.Expect(isBlock && span.UncompressedOffset == uncompressedOffset, () => Difference(span, isBlock
                ? $"its block starts at uncompressed offset {uncompressedOffset}, the index says {span.UncompressedOffset}"
                : $"no deflate block starts at bit {_spans.StartBit(span.Id)}"));
        }
    }

    public void Complete()
    {
        for (; _next < _spans.Count; _next++)
        {
            if (!_spans.IsContinued(new SpanId(_next)))
                Checkpoints.Expect(false, () =>
                    Difference(_spans[new SpanId(_next)], $"no deflate block starts at bit {_spans.StartBit(new SpanId(_next))}"));
        }
    }

    private static IndexDifference Difference(in LayerSpan span, string what) => new($"checkpoint of span {span.Id}: {what}")
    {
        Span = span.Id.Value,
        CompressedOffset = span.CompressedOffset,
        UncompressedOffset = span.UncompressedOffset,
    };
}
