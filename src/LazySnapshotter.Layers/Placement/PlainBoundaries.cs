namespace LazySnapshotter.Layers.Placement;

// Where the spans of an uncompressed tar may start: anywhere, for no window is needed. So it is where reads start and, so
// that no span gets long, at regular distances; with a uniform placement only there.
internal sealed class PlainBoundaries(CheckpointPlacement placement, ReadPoints reads, CheckpointChooser chooser)
{
    private const long DistanceMax = 128 * 1024;

    private readonly bool _isUniform = placement.SpanLength is not null;
    private readonly long _distance = placement.SpanLength ?? DistanceMax;
    private long _last;

    /// <summary>How far the chooser has been told: no boundary will be before that any more.</summary>
    public long UncompressedOffset { get; private set; }

    /// <summary>There is output up to here, and its entries are known.</summary>
    public void PassTo(long uncompressedOffset)
    {
        while (true)
        {
            // A read that starts shortly behind a regular place takes its place: wait until that is known.
            var regular = _last + _distance;
            var next = _isUniform || reads.NextStart >= regular + AdaptiveChooser.SpacingMin ? regular : reads.NextStart;
            var known = _isUniform || next < regular ? next : regular + AdaptiveChooser.SpacingMin;
            if (known >= uncompressedOffset)
            {
                Pass(Math.Min(uncompressedOffset, next));
                return;
            }

            Pass(next);
            chooser.Mark(new Checkpoint(next * 8, next, IsMemberStart: true));
            chooser.BlockStart(new Checkpoint(next * 8, next, IsMemberStart: true));
            chooser.BlockEnd(0);
            _last = next;
            Pass(next + 1);
        }
    }

    /// <summary>The tar has ended here.</summary>
    public void Complete(long uncompressedLength) => Pass(uncompressedLength);

    private void Pass(long uncompressedOffset)
    {
        reads.PassTo(uncompressedOffset, chooser);
        chooser.Advance(uncompressedOffset);
        UncompressedOffset = uncompressedOffset;
    }
}
