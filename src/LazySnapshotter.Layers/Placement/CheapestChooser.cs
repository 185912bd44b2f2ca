namespace LazySnapshotter.Layers.Placement;

// A checkpoint about every span length of output: of the boundaries between 0.6 and 1.4 times that, the one whose block
// copies least from before it. Halves the index of a uniform one for the same spans.
internal sealed class CheapestChooser(long spanLength, Action<Checkpoint> chosen) : CheckpointChooser(chosen)
{
    private readonly long _nearest = spanLength * 6 / 10;
    private readonly long _farthest = spanLength * 14 / 10;

    private Checkpoint? _open;
    private long? _openReach;
    private Checkpoint? _best;
    private long _bestReach;
    private long _lastOffset;

    public override Checkpoint? Undecided => _best ?? _open;

    public override bool NeedsReach => true;

    public override void BlockStart(in Checkpoint start)
    {
        Advance(start.UncompressedOffset);
        if (_open is { } open && open.UncompressedOffset < start.UncompressedOffset)
            Consider(open);
        if (start.UncompressedOffset - _lastOffset < Math.Max(_nearest, 1))
            return;
        _open = start;
        _openReach = start.IsMemberStart ? 0 : null;
    }

    public override void BlockEnd(long reachBytes) => _openReach ??= reachBytes;

    public override void Advance(long uncompressedOffset)
    {
        if (_best is { } best && uncompressedOffset - _lastOffset > _farthest)
            Take(best);
        // Once it is the only one that can be chosen there is no need to know how dear it is.
        if (_best is null && _open is { } open && uncompressedOffset > open.UncompressedOffset && uncompressedOffset - _lastOffset > _farthest)
            Take(open);
    }

    public override void Force(long compressedOffset)
    {
        if (_best is { } best)
            Take(best);
        if (_open?.CompressedOffset < compressedOffset)
            _open = null;
    }

    public override void Complete(long compressedLength, long uncompressedLength)
    {
        Advance(uncompressedLength);
        if (_open is { } open && open.UncompressedOffset < uncompressedLength)
            Consider(open);
        if (_best is { } best && uncompressedLength - _lastOffset > spanLength)
            Take(best);
        _open = _best = null;
    }

    private void Consider(in Checkpoint open)
    {
        _open = null;
        if (_best is not null && _openReach >= _bestReach)
            return;
        _best = open;
        _bestReach = _openReach ?? long.MaxValue;
    }

    private void Take(in Checkpoint checkpoint)
    {
        _lastOffset = checkpoint.UncompressedOffset;
        _best = null;
        if (_open is { } open && open.UncompressedOffset - _lastOffset < Math.Max(_nearest, 1))
            _open = null;
        Choose(checkpoint);
    }
}
