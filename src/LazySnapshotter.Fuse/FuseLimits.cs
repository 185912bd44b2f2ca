namespace LazySnapshotter.Fuse;

// Sizes of messages between kernel and session.
internal static class FuseLimits
{
    // fs.fuse.max_pages_limit's default, in pages of 4 KiB: the most the kernel asks for in one READ.
    public const ushort PagesMax = 256;

    /// <summary>Data in one reply to READ or READDIR.</summary>
    public const int ReadLengthMax = PagesMax * 4096;

    // Nobody writes here; 4096 is the least the kernel goes by.
    public const int WriteLengthMax = 4096;

    // The kernel wants FUSE_MIN_READ_BUFFER (8 KiB) at least; the largest requests of a read-only mount are LOOKUP with a
    // name of a page and BATCH_FORGET, which fills what there is.
    public const int RequestLengthMax = 64 * 1024;
}
