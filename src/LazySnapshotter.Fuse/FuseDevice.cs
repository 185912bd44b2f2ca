using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuse;

// The descriptor of one FUSE connection: requests come out of it, replies and notifications go in, each in one system
// call. Any thread may reply to any request.
internal sealed class FuseDevice(LinuxFileHandle handle, ILogger logger)
{
    public LinuxFileHandle Handle { get; } = handle;

    /// <returns>The request's length, or -1: EAGAIN (none waits), ENOENT (taken back), ENODEV (unmounted), ECONNABORTED.</returns>
    public int Receive(Span<byte> buffer, out Errno errno) => Libc.Read(Handle, buffer, out errno);

    public void Reply<T>(ulong unique, in T payload) where T : unmanaged =>
        Reply(unique, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in payload)));

    public void Reply(ulong unique, ReadOnlySpan<byte> payload) => Send(unique, 0, payload);

    /// <summary>Errno.None for a plain "done".</summary>
    public void ReplyError(ulong unique, Errno errno) => Send(unique, -(int)errno, default);

    /// <returns>ENOENT when the kernel does not know what the notification is about, ENODEV when the session is over.</returns>
    public Errno Notify(FuseNotifyCode code, ReadOnlySpan<byte> payload) => Write(unique: 0, (int)code, payload);

    private void Send(ulong unique, int error, ReadOnlySpan<byte> payload)
    {
        // ENOENT: nobody waits for this reply any more (its asker was killed, or the connection is gone).
        var errno = Write(unique, error, payload);
        if (errno is not (Errno.None or Errno.ENOENT or Errno.ENODEV or Errno.ECONNABORTED))
            FuseLog.ReplyRefused(logger, unique, payload.Length, errno);
    }

    private Errno Write(ulong unique, int error, ReadOnlySpan<byte> payload)
    {
        var header = new FuseOutHeader((uint)(Unsafe.SizeOf<FuseOutHeader>() + payload.Length), error, unique);
        try
        {
            return Libc.Write(Handle, MemoryMarshal.AsBytes(new ReadOnlySpan<FuseOutHeader>(in header)), payload);
        }
        catch (ObjectDisposedException)
        {
            // A read that ended, or a name that went, after the session did.
            return Errno.ENODEV;
        }
    }
}
