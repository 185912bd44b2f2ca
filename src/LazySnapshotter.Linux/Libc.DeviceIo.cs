using System.Runtime.InteropServices;

namespace LazySnapshotter.Linux;

// read(2) and writev(2) as a device needs them: one call is one message, and the error number is an answer.
// (RandomAccess refuses devices that cannot seek.)
public static partial class Libc
{
    /// <returns>The number of bytes, or -1 with <paramref name="errno"/> set.</returns>
    public static int Read(SafeHandle file, Span<byte> buffer, out Errno errno)
    {
        while (true)
        {
            var count = read(file, buffer, (nuint)buffer.Length);
            errno = count < 0 ? LastErrno : Errno.None;
            if (errno != Errno.EINTR)
                return (int)count;
        }
    }

    /// <summary>Writes both parts as one message.</summary>
    public static unsafe Errno Write(SafeHandle file, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        // Sound: both spans stay pinned until the call has returned, and it does not keep the pointers.
        fixed (byte* headPointer = head)
        fixed (byte* bodyPointer = body)
        {
            var parts = stackalloc IoVector[2];
            parts[0] = new IoVector(headPointer, (nuint)head.Length);
            parts[1] = new IoVector(bodyPointer, (nuint)body.Length);
            while (true)
            {
                var count = writev(file, parts, body.IsEmpty ? 1 : 2);
                var errno = count < 0 ? LastErrno : Errno.None;
                if (errno != Errno.EINTR)
                    return errno;
            }
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint read(SafeHandle fd, Span<byte> buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    private static unsafe partial nint writev(SafeHandle fd, IoVector* iov, int iovcnt);

    // struct iovec: | base (pointer) | length (size_t) |
    [StructLayout(LayoutKind.Sequential)]
    internal readonly unsafe struct IoVector(byte* @base, nuint length)
    {
        public readonly byte* Base = @base;
        public readonly nuint Length = length;
    }
}
