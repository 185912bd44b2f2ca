using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// Making nodes of every kind and giving them owner, mode and time. Nothing here follows a symbolic link in the last
// part of the path, except Chmod (links have no mode).
public static partial class Libc
{
    private const int PathLengthMax = 4096;

    public static void MakeDirectory(LinuxPath path, uint permissions) => Check(mkdir(path.Terminated, permissions), "mkdir", path);

    /// <summary>Makes a device, fifo or socket node (or an empty file). The permissions pass through the umask.</summary>
    public static void MakeNode(LinuxPath path, FileType type, uint permissions, uint major = 0, uint minor = 0) =>
        Check(mknod(path.Terminated, (uint)type | permissions, MakeDevice(major, minor)), "mknod", path);

    /// <param name="target">What the link says.</param>
    public static void MakeSymbolicLink(LinuxPath target, LinuxPath path) =>
        Check(symlink(target.Terminated, path.Terminated), "symlink", path);

    /// <param name="existing">The file that gets a second name; a symbolic link is itself the file.</param>
    public static void MakeHardLink(LinuxPath existing, LinuxPath path) => Check(link(existing.Terminated, path.Terminated), "link", path);

    public static byte[] ReadLink(LinuxPath path)
    {
        Span<byte> target = stackalloc byte[PathLengthMax];
        var length = readlink(path.Terminated, target, (nuint)target.Length);
        if (length < 0)
            Throw("readlink", path);
        return target[..(int)length].ToArray();
    }

    public static void Chown(LinuxPath path, uint uid, uint gid) => Check(lchown(path.Terminated, uid, gid), "lchown", path);

    public static void Chmod(LinuxPath path, uint permissions) => Check(chmod(path.Terminated, permissions), "chmod", path);

    /// <summary>Sets access and modification time.</summary>
    public static void SetTimes(LinuxPath path, long seconds, uint nanoseconds)
    {
        var time = new TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds };
        ReadOnlySpan<TimeSpec> both = [time, time];
        Check(utimensat(AT_FDCWD, path.Terminated, both, AT_SYMLINK_NOFOLLOW), "utimensat", path);
    }

    public static void Unlink(LinuxPath path) => Check(unlink(path.Terminated), "unlink", path);

    public static void RemoveDirectory(LinuxPath path) => Check(rmdir(path.Terminated), "rmdir", path);

    public static void Rename(LinuxPath from, LinuxPath to) => Check(rename(from.Terminated, to.Terminated), "rename", to);

    /// <summary>The path without links and dots; everything it names must exist.</summary>
    public static LinuxPath RealPath(LinuxPath path)
    {
        Span<byte> resolved = stackalloc byte[PathLengthMax];
        if (realpath(path.Terminated, resolved) == 0)
            Throw("realpath", path);
        return new LinuxPath(resolved[..resolved.IndexOf((byte)0)]);
    }

    // dev_t as in glibc's gnu_dev_makedev: major 12 bits at 8, the rest at 44; minor 8 bits at 0, the rest at 20.
    internal static ulong MakeDevice(uint major, uint minor) =>
        ((ulong)(major & 0xFFFFF000) << 32) | ((ulong)(major & 0xFFF) << 8) | ((ulong)(minor & 0xFFFFFF00) << 12) | (minor & 0xFF);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int mkdir(ReadOnlySpan<byte> pathname, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int mknod(ReadOnlySpan<byte> pathname, uint mode, ulong dev);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int symlink(ReadOnlySpan<byte> target, ReadOnlySpan<byte> linkpath);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int link(ReadOnlySpan<byte> oldpath, ReadOnlySpan<byte> newpath);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint readlink(ReadOnlySpan<byte> pathname, Span<byte> buf, nuint bufsiz);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int lchown(ReadOnlySpan<byte> pathname, uint owner, uint group);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int chmod(ReadOnlySpan<byte> pathname, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int utimensat(int dirfd, ReadOnlySpan<byte> pathname, ReadOnlySpan<TimeSpec> times, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int unlink(ReadOnlySpan<byte> pathname);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int rmdir(ReadOnlySpan<byte> pathname);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int rename(ReadOnlySpan<byte> oldpath, ReadOnlySpan<byte> newpath);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint realpath(ReadOnlySpan<byte> path, Span<byte> resolved_path);

    // struct timespec on 64-bit Linux: | seconds (8) | nanoseconds (8) |
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
