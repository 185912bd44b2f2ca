namespace LazySnapshotter.Fuse;

public sealed record FuseMountOptions
{
    /// <summary>What the mount table shows as the mount's device.</summary>
    public string Source { get; init; } = "lazysnap";

    /// <summary>
    /// How far the kernel reads ahead of a sequential reader, and around a page fault. FUSE's own limit is 128 KiB; a READ
    /// is at most 1 MiB.
    /// </summary>
    public int ReadAheadKibibytes { get; init; } = 1024;
}
