using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Linux;

// What the blob store needs of files and .NET has no call for: how much of a sparse file is allocated (statx(2)),
// a lock that dies with its process and whose file the loser may still read (open(2), flock(2); .NET's own open
// takes a lock of its own), and fsync(2) of a directory, which makes a rename survive a power cut.
public static unsafe partial class Libc
{
    /// <summary>Bytes a file takes on disk, holes not counted; 0 if it does not exist.</summary>
    /// <exception cref="IOException">statx failed for another reason.</exception>
    public static long AllocatedBytes(string path)
    {
        const int AT_FDCWD = -100;
        const uint STATX_BLOCKS = 0x400;
        const int BlockBytes = 512; // statx(2): "the number of 512B blocks", whatever the filesystem's own
        StatxBuffer buffer;
        // Sound: the kernel fills at most sizeof(struct statx) = 256 bytes, which the buffer has (tested).
        if (StatxPath(AT_FDCWD, path, 0, STATX_BLOCKS, &buffer) == 0)
            return checked((long)buffer.Blocks * BlockBytes);
        var errno = Marshal.GetLastPInvokeError();
        return errno == (int)Errno.ENOENT ? 0 : throw FileCallFailed("statx", path, errno);
    }

    /// <summary>Opens a file that is going to be locked, creating it if need be; takes no lock yet.</summary>
    /// <exception cref="IOException">open failed.</exception>
    public static SafeFileHandle OpenLockFile(string path) => OpenPath(path, 0x2 /* O_RDWR */ | 0x40 /* O_CREAT */);

    /// <summary>Takes the exclusive lock of an open file; false if another open file has it. Held until the handle is closed.</summary>
    /// <exception cref="IOException">flock failed for another reason.</exception>
    public static bool TryLock(SafeFileHandle file, string path)
    {
        const int LOCK_EX = 2;
        const int LOCK_NB = 4;
        int errno;
        do
        {
            if (FlockFile(file, LOCK_EX | LOCK_NB) == 0)
                return true;
            errno = Marshal.GetLastPInvokeError();
        }
        while (errno == (int)Errno.EINTR);

        return errno == (int)Errno.EAGAIN ? false : throw FileCallFailed("flock", path, errno);
    }

    /// <summary>Makes renames in a directory durable.</summary>
    /// <exception cref="IOException">open or fsync failed.</exception>
    public static void SyncDirectory(string path)
    {
        using var directory = OpenPath(path, 0 /* O_RDONLY */);
        if (FsyncFile(directory) != 0)
            throw FileCallFailed("fsync", path, Marshal.GetLastPInvokeError());
    }

    private static SafeFileHandle OpenPath(string path, int flags)
    {
        const int O_CLOEXEC = 0x80000;
        const uint mode = 0x180; // 0600
        int errno;
        do
        {
            var descriptor = OpenFile(path, flags | O_CLOEXEC, mode);
            if (descriptor >= 0)
                return new SafeFileHandle(descriptor, ownsHandle: true);
            errno = Marshal.GetLastPInvokeError();
        }
        while (errno == (int)Errno.EINTR);

        throw FileCallFailed("open", path, errno);
    }

    private static IOException FileCallFailed(string call, string path, int errno) =>
        new($"{call} {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);

    // struct statx up to the one field wanted here (linux/stat.h; the same on every architecture).
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatxBuffer
    {
        [FieldOffset(48)]
        public ulong Blocks;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatxPath(int directory, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FlockFile(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncFile(SafeFileHandle file);
}
