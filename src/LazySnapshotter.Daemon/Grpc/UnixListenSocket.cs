using System.Net.Sockets;

namespace LazySnapshotter.Daemon.Grpc;

// A bound Unix socket that only its owner can open. Its mode is set between bind and listen, while every connect is
// still refused, so the process's umask does not matter. A socket file left by a process that died is replaced; one
// that somebody answers on is not.
internal static class UnixListenSocket
{
    /// <exception cref="IOException">The path is taken, or cannot be bound; the message names it.</exception>
    public static Socket Bind(UnixDomainSocketEndPoint endPoint, string path)
    {
        RemoveIfStale(endPoint, path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {path}: {e.Message}", e);
        }
    }

    private static void RemoveIfStale(UnixDomainSocketEndPoint endPoint, string path)
    {
        if (!File.Exists(path))
            return;

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {path}: it exists and is not a socket of ours ({e.Message})", e);
        }

        throw new IOException($"cannot listen on {path}: another process answers on it");
    }

    // An ordinary file refuses connections too, and must not be deleted. .NET reports a socket as neither file content
    // nor directory; opening it as a file is what fails (ENXIO).
    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
