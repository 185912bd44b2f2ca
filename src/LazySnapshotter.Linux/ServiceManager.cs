using System.Net.Sockets;
using System.Text;

namespace LazySnapshotter.Linux;

// Tells the service manager how we are (sd_notify(3)): one datagram to the socket named in the environment. A service
// of Type=notify counts as started when READY=1 has arrived.
public static class ServiceManager
{
    private const string SocketVariable = "NOTIFY_SOCKET";

    /// <param name="state">For example "READY=1" or "STATUS=...", lines separated by a newline.</param>
    /// <returns>Why the service manager does not know; null if it does, or if there is none.</returns>
    public static string? TryNotify(string state)
    {
        var address = Environment.GetEnvironmentVariable(SocketVariable);
        if (string.IsNullOrEmpty(address))
            return null;
        try
        {
            Notify(address, state);
            return null;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return $"{SocketVariable}={address}: {e.Message}";
        }
    }

    /// <param name="address">A path, or a name in the abstract namespace written with a leading "@".</param>
    private static void Notify(string address, string state)
    {
        var path = address[0] == '@' ? "\0" + address[1..] : address;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path));
    }
}
