using System.Net;

namespace LazySnapshotter.Registry.Common;

// Which hosts are this machine, by name alone: no resolver is asked, because what a name resolves to can change
// between the question and the connection.
internal static class Loopback
{
    /// <param name="host">With or without a port; IPv6 in brackets if with one.</param>
    public static bool IsLoopback(string host)
    {
        var name = WithoutPort(host);
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
    }

    public static string WithoutPort(string host)
    {
        var colon = host.LastIndexOf(':');
        var isBareIPv6 = colon >= 0 && host[0] != '[' && host.IndexOf(':', StringComparison.Ordinal) != colon;
        return colon < 0 || isBareIPv6 || colon < host.LastIndexOf(']') ? host : host[..colon];
    }
}
