using System.Net.Sockets;

namespace LazySnapshotter.Daemon.Snapshots;

// A Unix socket that only its owner can open, and that appears under its name when it answers. Until then it has another name
// in the same directory; its mode is set between bind and listen, while every connect is still refused, so the process's
// umask does not matter. A socket file left by a process that died is replaced; one that somebody answers on is not.
internal static class UnixListenSocket
{
    /// <summary>Bound under a name of its own until <see cref="Show"/>.</summary>
    /// <exception cref="IOException">The path is taken, or cannot be bound; the message names it.</exception>
    public static Socket Bind(string path)
    {
        ThrowIfTaken(path);
        var hidden = HiddenPath(path);
        ThrowIfTaken(hidden);
        var socket = NewSocket();
        try
        {
            File.Delete(hidden);
            socket.Bind(new UnixDomainSocketEndPoint(hidden));
            File.SetUnixFileMode(hidden, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return socket;
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {path}: {e.Message}", e);
        }
    }

    /// <summary>Gives the socket its name, in place of a stale one.</summary>
    public static void Show(string path) => File.Move(HiddenPath(path), path, overwrite: true);

    /// <summary>Not longer than the path, which may have as many bytes as a socket's path can have.</summary>
    public static string HiddenPath(string path) => path[..^1] + (path[^1] == '~' ? '-' : '~');

    private static void ThrowIfTaken(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"cannot listen on {path}: it is a directory");
        if (!File.Exists(path))
            return;

        using var probe = NewSocket();
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            return;
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {path}: it exists and is not a socket of ours ({e.Message})", e);
        }

        throw new IOException($"cannot listen on {path}: another process answers on it");
    }

    // An ordinary file refuses connections too, and must not be replaced. .NET reports a socket as neither file content
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

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
}
