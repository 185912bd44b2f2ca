using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

[Flags]
internal enum FuseOpenFlags : uint
{
    FOPEN_KEEP_CACHE = 1 << 1,
    FOPEN_CACHE_DIR = 1 << 3,
    FOPEN_NOFLUSH = 1 << 5,
}

// struct fuse_open_out, the reply to OPEN and OPENDIR. There are no file handles here (fh is 0): a read names its node.
//   0: | fh (8) | open_flags (4) | backing_id (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseOpenOut(FuseOpenFlags flags)
{
    public readonly ulong FileHandle;
    public readonly FuseOpenFlags Flags = flags;
    public readonly int BackingId;
}
