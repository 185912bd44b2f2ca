using LazySnapshotter.Layers.Placement;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// soci's rule: a checkpoint at the first block boundary more than a span's length behind the last one.
internal sealed class SociRule(long spanLength)
{
    private long _last;

    public bool Takes(in Checkpoint boundary)
    {
        if (boundary.UncompressedOffset - _last <= spanLength)
            return false;
        _last = boundary.UncompressedOffset;
        return true;
    }
}
