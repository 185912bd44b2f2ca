using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// statx(2), because its structure is the same on every architecture; struct stat is not.
public static partial class Libc
{
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_BASIC_STATS = 0x7ff;

    /// <summary>The file itself, also when it is a symbolic link.</summary>
    public static FileStatus GetStatus(LinuxPath path)
    {
        var errno = TryGetStatus(path, out var status);
        return errno == Errno.None ? status : throw new LinuxException(errno, "statx", path.ToString());
    }

    /// <inheritdoc cref="GetStatus"/>
    public static Errno TryGetStatus(LinuxPath path, out FileStatus status)
    {
        Statx raw;
        while (statx(AT_FDCWD, path.Terminated, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, out raw) < 0)
        {
            var errno = LastErrno;
            if (errno == Errno.EINTR)
                continue;

            status = default;
            return errno;
        }

        status = new FileStatus
        {
            Mode = raw.Mode,
            Inode = raw.Inode,
            LinkCount = raw.LinkCount,
            Uid = raw.Uid,
            Gid = raw.Gid,
            Size = (long)raw.Size,
            Blocks = (long)raw.Blocks,
            ModifiedSeconds = raw.Modified.Seconds,
            ModifiedNanoseconds = raw.Modified.Nanoseconds,
            DeviceMajor = raw.DeviceMajor,
            DeviceMinor = raw.DeviceMinor,
            FileSystemMajor = raw.FileSystemMajor,
            FileSystemMinor = raw.FileSystemMinor,
        };
        return Errno.None;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int statx(int dirfd, ReadOnlySpan<byte> pathname, int flags, uint mask, out Statx statxbuf);

    // struct statx (linux/stat.h), 256 bytes:
    //   0x00 mask, blksize, attributes   0x10 nlink, uid, gid, mode   0x20 ino, size, blocks, attributes_mask
    //   0x40 atime, btime, ctime, mtime  0x80 rdev, dev               0x90 what newer kernels add
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct Statx
    {
        public uint Mask;
        public uint BlockSize;
        public ulong Attributes;
        public uint LinkCount;
        public uint Uid;
        public uint Gid;
        public ushort Mode;
        public ushort Spare;
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong AttributesMask;
        public StatxTimestamp Accessed;
        public StatxTimestamp Born;
        public StatxTimestamp Changed;
        public StatxTimestamp Modified;
        public uint DeviceMajor;
        public uint DeviceMinor;
        public uint FileSystemMajor;
        public uint FileSystemMinor;
    }

    // struct statx_timestamp: | seconds (8) | nanoseconds (4) | reserved (4) |
    [StructLayout(LayoutKind.Sequential)]
    internal struct StatxTimestamp
    {
        public long Seconds;
        public uint Nanoseconds;
        public int Reserved;
    }
}
