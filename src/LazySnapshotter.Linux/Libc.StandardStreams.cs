using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// The standard streams 0, 1 and 2 by their numbers. They belong to whoever started the process, so no handle owns them here.
// .NET's own console stream is no help: it takes EPIPE for success, and opens whatever file has the number by now.
public static partial class Libc
{
    private const int F_GETFD = 1;
    private const int FD_CLOEXEC = 1;
    private const short POLLOUT = 4;
    private const nuint TIOCGWINSZ = 0x5413;

    /// <summary>
    /// Whether the process was started with this stream. One that was closed then may have any file of the runtime's under its
    /// number now: those are opened with O_CLOEXEC, with which no descriptor comes through execve(2).
    /// </summary>
    public static bool IsInherited(int descriptor)
    {
        var flags = fcntl(descriptor, F_GETFD);
        return flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }

    /// <summary>Writes all of it, however many calls that takes, also to a pipe somebody made non-blocking.</summary>
    public static Errno WriteAll(int descriptor, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = write(descriptor, bytes, (nuint)bytes.Length);
            if (count >= 0)
            {
                bytes = bytes[(int)count..];
                continue;
            }

            var errno = LastErrno;
            if (errno == Errno.EAGAIN)
                WaitUntilWritable(descriptor);
            else if (errno != Errno.EINTR)
                return errno;
        }

        return Errno.None;
    }

    /// <summary>What close(2) would say: filesystems over a network tell there that they could not keep what was written.</summary>
    public static Errno CloseCopy(int descriptor)
    {
        var copy = dup(descriptor);
        return copy >= 0 && close(copy) == 0 ? Errno.None : LastErrno;
    }

    /// <summary>Columns of a terminal; null where it does not know, or is none.</summary>
    public static int? TerminalWidth(int descriptor) =>
        ioctl(descriptor, TIOCGWINSZ, out var size) == 0 && size.Columns > 0 ? size.Columns : null;

    // How it ends does not matter: write(2) is asked again.
    private static void WaitUntilWritable(int descriptor)
    {
        var file = new PollDescriptor { Descriptor = descriptor, Events = POLLOUT };
        _ = poll(ref file, 1, -1);
    }

    // fcntl(2) is variadic in C; this command takes no argument.
    [LibraryImport(Library, SetLastError = true)]
    private static partial int fcntl(int fd, int cmd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint write(int fd, ReadOnlySpan<byte> buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int dup(int oldfd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int poll(ref PollDescriptor fds, nuint nfds, int timeout);

    // Variadic, too; with one pointer that makes no difference on x86-64 and on Linux's arm64.
    [LibraryImport(Library, SetLastError = true)]
    private static partial int ioctl(int fd, nuint op, out WindowSize argp);

    // struct winsize: | rows (2) | columns (2) | width (2) | height (2) |, the last two in pixels
    [StructLayout(LayoutKind.Sequential)]
    internal struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }

    // struct pollfd: | fd (4) | events (2) | revents (2) |
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
