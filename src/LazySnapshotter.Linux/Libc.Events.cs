using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// eventfd(2) and epoll(7), as far as a thread needs them to wait for a device and for the word to stop at the same time.
public static partial class Libc
{
    private const int EFD_CLOEXEC = 0x80000;
    private const int EFD_NONBLOCK = 0x800;
    private const int EPOLL_CLOEXEC = 0x80000;
    private const int EPOLL_CTL_ADD = 1;
    private const uint EPOLLIN = 1;
    private const uint EPOLLEXCLUSIVE = 1u << 28;

    public static LinuxFileHandle CreateEvent()
    {
        var handle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return handle.IsInvalid ? throw new LinuxException(LastErrno, "eventfd") : handle;
    }

    /// <summary>Wakes everybody who waits for the event, now and later: nobody takes the count away.</summary>
    public static void SignalEvent(LinuxFileHandle handle)
    {
        Span<byte> one = stackalloc byte[sizeof(ulong)];
        MemoryMarshal.Write(one, 1UL);
        var errno = Write(handle, one, default);
        if (errno is not (Errno.None or Errno.EAGAIN))
            throw new LinuxException(errno, "write", "eventfd");
    }

    public static LinuxFileHandle CreateEpoll()
    {
        var handle = epoll_create1(EPOLL_CLOEXEC);
        return handle.IsInvalid ? throw new LinuxException(LastErrno, "epoll_create1") : handle;
    }

    /// <param name="exclusive">Of all sets that hold the descriptor, wake only one that is waited for (EPOLLEXCLUSIVE).</param>
    public static void AddToEpoll(LinuxFileHandle epoll, SafeHandle file, bool exclusive)
    {
        var @event = new EpollEvent { Events = exclusive ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN };
        Check(epoll_ctl(epoll, EPOLL_CTL_ADD, file, ref @event), "epoll_ctl", default);
    }

    /// <summary>Waits until one of the set's descriptors can be read.</summary>
    public static void WaitForEpoll(LinuxFileHandle epoll)
    {
        while (epoll_wait(epoll, out _, 1, -1) < 0)
        {
            if (LastErrno != Errno.EINTR)
                Throw("epoll_wait");
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial LinuxFileHandle eventfd(uint initval, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial LinuxFileHandle epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_ctl(LinuxFileHandle epfd, int op, SafeHandle fd, ref EpollEvent @event);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int epoll_wait(LinuxFileHandle epfd, out EpollEvent events, int maxevents, int timeout);

    // struct epoll_event is packed (12 bytes) on x86-64 and not (16 bytes) elsewhere. `events` comes first in both, and
    // the rest, which is the caller's own data, is not used: 16 bytes serve either kernel.
    [StructLayout(LayoutKind.Sequential)]
    internal struct EpollEvent
    {
        public uint Events;
        public uint Unused0;
        public ulong Unused1;
    }
}
