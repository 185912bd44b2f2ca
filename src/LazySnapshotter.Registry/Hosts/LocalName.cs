using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

// Hosts of one's own network, by name alone: private addresses written out (RFC 1918) and names of multicast DNS. Such a
// registry often speaks plain http without anybody having said so; of no other name is that ever assumed.
internal static class LocalName
{
    /// <param name="host">With or without a port.</param>
    public static bool MaySpeakPlainHttp(string host)
    {
        var name = Loopback.WithoutPort(host);
        if (!IPAddress.TryParse(name, out var address))
            return name.EndsWith(".local", StringComparison.OrdinalIgnoreCase);
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return false;
        var bytes = address.GetAddressBytes();
        return bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168);
    }
}
