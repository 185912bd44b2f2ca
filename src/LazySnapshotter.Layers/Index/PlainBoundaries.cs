namespace LazySnapshotter.Layers.Index;

// Where the spans of an uncompressed tar may start: anywhere, for no window is needed. So it is where reads start and
// end, and, so that no span gets long, at regular distances; with a uniform placement only there.
internal sealed class PlainBoundaries(CheckpointPlacement placement, ReadPoints reads, CheckpointChooser chooser)
{
    private const long DistanceMax = 128 * 1024;

    private readonly long _distance = placement.SpanLength ?? DistanceMax;
    private long _last;

    /// <summary>There is output up to here, and its entries are known.</summary>
    public void PassTo(long uncompressedOffset)
    {
        while (true)
        {
            var next = _last + _distance;
            if (placement.SpanLength is null)
                next = Math.Min(next, reads.Next);
            if (next >= uncompressedOffset)
                break;
            reads.PassTo(next, chooser);
            chooser.BlockStart(new Checkpoint(next * 8, next, IsMemberStart: true));
            chooser.BlockEnd(0);
            reads.PassTo(next + 1, chooser);
            _last = next;
        }

        reads.PassTo(uncompressedOffset, chooser);
        chooser.Advance(uncompressedOffset);
    }
}
