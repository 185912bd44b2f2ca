namespace LazySnapshotter.Layers.Placement;

// A checkpoint at the first boundary behind every span length of output.
internal sealed class UniformChooser(long spanLength, Action<Checkpoint> chosen) : CheckpointChooser(chosen)
{
    private Checkpoint? _candidate;
    private long _lastOffset;

    public override Checkpoint? Undecided => _candidate;

    public override void BlockStart(in Checkpoint start)
    {
        Advance(start.UncompressedOffset);
        if (start.UncompressedOffset - _lastOffset >= spanLength)
            _candidate = start;
    }

    public override void Advance(long uncompressedOffset)
    {
        if (_candidate is not { } candidate || candidate.UncompressedOffset >= uncompressedOffset)
            return;
        _candidate = null;
        _lastOffset = candidate.UncompressedOffset;
        Choose(candidate);
    }

    public override void Force(long compressedOffset)
    {
        if (_candidate?.CompressedOffset < compressedOffset)
            _candidate = null;
    }

    public override void Complete(long compressedLength, long uncompressedLength) => Advance(uncompressedLength);
}
