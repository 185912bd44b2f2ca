using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

[Flags]
public enum MountFlags : ulong
{
    None = 0,
    MS_RDONLY = 1,
    MS_NOSUID = 2,
    MS_NODEV = 4,
    MS_NOEXEC = 8,
    MS_REMOUNT = 32,
    MS_NOATIME = 1024,
    MS_BIND = 4096,
    MS_REC = 16384,
    MS_PRIVATE = 1 << 18,
    MS_SLAVE = 1 << 19,
}

[Flags]
public enum UnmountFlags
{
    None = 0,

    /// <summary>Out of the tree now; the filesystem ends with its last user.</summary>
    MNT_DETACH = 2,

    /// <summary>Does not follow a link at the path, and does not ask the filesystem: safe when its server is dead.</summary>
    UMOUNT_NOFOLLOW = 8,
}

public static partial class Libc
{
    // mount(2) copies one page of options.
    private const int MountOptionsLengthMax = 4095;

    public static void Mount(LinuxPath source, LinuxPath target, LinuxPath fileSystemType, MountFlags flags, LinuxPath data)
    {
        if (data.Bytes.Length > MountOptionsLengthMax)
            throw new ArgumentException(
                $"mount options of {data.Bytes.Length} bytes: the kernel takes {MountOptionsLengthMax}", nameof(data));

        Check(mount(source.Terminated, target.Terminated, fileSystemType.Terminated, (nuint)flags, data.Terminated), "mount", target);
    }

    /// <returns>EINVAL: nothing is mounted there; EBUSY: in use and MNT_DETACH was not asked for.</returns>
    public static Errno Unmount(LinuxPath target, UnmountFlags flags) =>
        umount2(target.Terminated, (int)flags) == 0 ? Errno.None : LastErrno;

    [LibraryImport(Library, SetLastError = true)]
    private static partial int mount(
        ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, ReadOnlySpan<byte> filesystemtype, nuint mountflags, ReadOnlySpan<byte> data);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int umount2(ReadOnlySpan<byte> target, int flags);
}
