namespace LazySnapshotter.Fuse.Protocol;

// What kernel and server agree on in INIT (linux/fuse.h). Bits 32 to 63 travel in the second flags word, which counts
// only when FUSE_INIT_EXT is set.
[Flags]
public enum FuseInitFlags : ulong
{
    None = 0,
    FUSE_ASYNC_READ = 1UL << 0,
    FUSE_EXPORT_SUPPORT = 1UL << 4,
    FUSE_AUTO_INVAL_DATA = 1UL << 12,
    FUSE_DO_READDIRPLUS = 1UL << 13,
    FUSE_NO_OPEN_SUPPORT = 1UL << 17,
    FUSE_PARALLEL_DIROPS = 1UL << 18,
    FUSE_POSIX_ACL = 1UL << 20,
    FUSE_ABORT_ERROR = 1UL << 21,
    FUSE_MAX_PAGES = 1UL << 22,
    FUSE_CACHE_SYMLINKS = 1UL << 23,
    FUSE_NO_OPENDIR_SUPPORT = 1UL << 24,
    FUSE_INIT_EXT = 1UL << 30,
    FUSE_HAS_RESEND = 1UL << 39,
    FUSE_ALLOW_IDMAP = 1UL << 40,
}
