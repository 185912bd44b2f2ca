using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// openat2(2), Linux 5.6: opening a path as if a directory were the root, so that no symbolic link and no ".." in it
// leads out. glibc 2.36 has no wrapper.
public static partial class Libc
{
    private const nint SYS_openat2 = 437; // the same on every architecture (asm-generic/unistd.h)
    private const ulong RESOLVE_IN_ROOT = 0x10;

    /// <summary>Opens (O_PATH) what <paramref name="path"/> names with <paramref name="root"/> as the root directory.</summary>
    /// <param name="opened">Set when the result is <see cref="Errno.None"/>.</param>
    public static Errno TryOpenInRoot(LinuxFileHandle root, LinuxPath path, out LinuxFileHandle? opened)
    {
        var how = new OpenHow { Flags = (ulong)ToNative(OpenFlags.O_PATH | OpenFlags.O_CLOEXEC), Resolve = RESOLVE_IN_ROOT };
        while (true)
        {
            var descriptor = openat2(SYS_openat2, root, path.Terminated, in how, (nuint)Marshal.SizeOf<OpenHow>());
            if (descriptor >= 0)
            {
                opened = new LinuxFileHandle((int)descriptor);
                return Errno.None;
            }

            // EAGAIN: something was renamed while the kernel resolved a "..".
            var errno = LastErrno;
            if (errno is Errno.EINTR or Errno.EAGAIN)
                continue;
            opened = null;
            return errno;
        }
    }

    // syscall(2) is variadic in C; see open.
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint openat2(nint number, SafeHandle dirfd, ReadOnlySpan<byte> pathname, in OpenHow how, nuint size);

    // struct open_how (linux/openat2.h): | flags (8) | mode (8) | resolve (8) |
    [StructLayout(LayoutKind.Sequential)]
    internal struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }
}
