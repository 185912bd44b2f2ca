using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// Opening, syncing, locking, and giving back disk space. Reading and writing ordinary files is RandomAccess's job.
public static partial class Libc
{
    private const int FALLOC_FL_KEEP_SIZE = 1;
    private const int FALLOC_FL_PUNCH_HOLE = 2;
    private const int LOCK_SH = 1;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int LOCK_UN = 8;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    /// <summary>O_CLOEXEC is always added: no container may inherit a descriptor of ours.</summary>
    public static LinuxFileHandle Open(LinuxPath path, OpenFlags flags, uint mode = 0)
    {
        while (true)
        {
            var handle = open(path.Terminated, ToNative(flags | OpenFlags.O_CLOEXEC), mode);
            if (!handle.IsInvalid)
                return handle;

            var errno = LastErrno;
            handle.Dispose();
            if (errno != Errno.EINTR)
                throw new LinuxException(errno, "open", path.ToString());
        }
    }

    /// <summary>Makes the names in a directory durable: what rename(2) needs after it to survive a power failure.</summary>
    public static void SyncDirectory(LinuxPath path)
    {
        using var directory = Open(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY);
        Check(fsync(directory), "fsync", path);
    }

    /// <summary>Writes out the whole filesystem that holds a path.</summary>
    public static void SyncFileSystem(LinuxPath path)
    {
        using var file = Open(path, OpenFlags.O_RDONLY);
        Check(syncfs(file), "syncfs", path);
    }

    /// <summary>Gives the range's blocks back; it reads as zeros from now on. The file's size stays.</summary>
    /// <returns>False where the filesystem has no holes (EOPNOTSUPP).</returns>
    public static bool TryPunchHole(SafeHandle file, long offset, long length)
    {
        while (true)
        {
            if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) == 0)
                return true;

            switch (LastErrno)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EOPNOTSUPP or Errno.ENOSYS:
                    return false;
                default:
                    Throw("fallocate");
                    break;
            }
        }
    }

    /// <summary>Takes the exclusive advisory lock; false when another process has it.</summary>
    public static bool TryLock(SafeHandle file)
    {
        while (flock(file, LOCK_EX | LOCK_NB) < 0)
        {
            switch (LastErrno)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EAGAIN:
                    return false;
                default:
                    Throw("flock");
                    break;
            }
        }

        return true;
    }

    /// <summary>
    /// Takes the shared advisory lock, giving up the exclusive one if this handle has it; waits for others to give theirs up.
    /// </summary>
    public static void LockShared(SafeHandle file)
    {
        while (flock(file, LOCK_SH) < 0)
        {
            if (LastErrno != Errno.EINTR)
                Throw("flock");
        }
    }

    public static void Unlock(SafeHandle file) => Check(flock(file, LOCK_UN), "flock", default);

    internal static int ToNative(OpenFlags flags)
    {
        var native = (int)(flags & ~(OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW));
        if (flags.HasFlag(OpenFlags.O_DIRECTORY))
            native |= IsArm ? 0x4000 : 0x10000;
        if (flags.HasFlag(OpenFlags.O_NOFOLLOW))
            native |= IsArm ? 0x8000 : 0x20000;
        return native;
    }

    // open(2) is variadic in C; with integer arguments that makes no difference on x86-64 and on Linux's arm64.
    [LibraryImport(Library, SetLastError = true)]
    private static partial LinuxFileHandle open(ReadOnlySpan<byte> pathname, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fsync(SafeHandle fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int syncfs(SafeHandle fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fallocate(SafeHandle fd, int mode, long offset, long len);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int flock(SafeHandle fd, int operation);
}
