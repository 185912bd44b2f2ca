using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse;

// What this kernel and this session agreed on in INIT.
public sealed record FuseFeatures
{
    // The protocol of Linux 5.4; the project's floor is 5.10 (7.32). The newest one this code was written against is 7.45.
    internal const uint MajorVersion = 7;
    internal const uint MinorVersionMin = 31;
    internal const uint MinorVersionMax = 45;

    // Everything we use where it is offered; nothing here is needed to work.
    //   ASYNC_READ       several reads of a file under way at once
    //   EXPORT_SUPPORT   nodes can be found by handle: LOOKUP "." is answered
    //   AUTO_INVAL_DATA  a directory's listing is dropped when its modification time moves (IFuseFileSystem.IsImmutable)
    //   DO_READDIRPLUS   listing brings the attributes along; without _AUTO, always
    //   POSIX_ACL        access is decided by ACLs as well; asked for once per inode, where a user who is not its owner has group bits to
    //                    read (the kernel keeps the answer, also that there is none)
    //   ABORT_ERROR      tells "aborted by the administrator" from "unmounted"
    //   ALLOW_IDMAP      containers with user namespaces (6.12)
    //   NO_OPEN_SUPPORT, NO_OPENDIR_SUPPORT, HAS_RESEND are announcements by the kernel, not requests to it.
    private const FuseInitFlags Wanted =
        FuseInitFlags.FUSE_ASYNC_READ | FuseInitFlags.FUSE_EXPORT_SUPPORT | FuseInitFlags.FUSE_AUTO_INVAL_DATA
        | FuseInitFlags.FUSE_DO_READDIRPLUS | FuseInitFlags.FUSE_NO_OPEN_SUPPORT | FuseInitFlags.FUSE_PARALLEL_DIROPS
        | FuseInitFlags.FUSE_POSIX_ACL | FuseInitFlags.FUSE_ABORT_ERROR | FuseInitFlags.FUSE_MAX_PAGES | FuseInitFlags.FUSE_CACHE_SYMLINKS
        | FuseInitFlags.FUSE_NO_OPENDIR_SUPPORT | FuseInitFlags.FUSE_INIT_EXT | FuseInitFlags.FUSE_HAS_RESEND
        | FuseInitFlags.FUSE_ALLOW_IDMAP;

    public required uint MinorVersion { get; init; }

    public required FuseInitFlags Flags { get; init; }

    /// <summary>ENOSYS to OPEN means: open without asking, from now on.</summary>
    public bool OpensWithoutAsking => Flags.HasFlag(FuseInitFlags.FUSE_NO_OPEN_SUPPORT);

    /// <inheritdoc cref="OpensWithoutAsking"/>
    public bool OpensDirectoriesWithoutAsking => Flags.HasFlag(FuseInitFlags.FUSE_NO_OPENDIR_SUPPORT);

    internal static FuseFeatures Negotiate(uint kernelMinorVersion, FuseInitFlags offered, FuseInitFlags disabled) => new()
    {
        MinorVersion = Math.Min(kernelMinorVersion, MinorVersionMax),
        Flags = offered & Wanted & ~disabled,
    };
}
