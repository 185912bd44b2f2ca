using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace LazySnapshotter.Registry.Http.Addresses;

// Which addresses belong to the internet and which to a node, its link or its owner's networks: a public registry has no
// business with the latter, where metadata services and unguarded administration listen. What is embedded in an IPv6
// address (mapped, translated, tunnelled) counts as what it reaches. (IANA's special-purpose address registries, RFC 6890.)
internal static class AddressPolicy
{
    private static readonly IPNetwork[] _private =
    [
        .. ((string[])[
            "0.0.0.0/8", // "this host"; Linux connects to itself
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
            "100.64.0.0/10", // shared by a provider's customers; some clouds have their metadata service here
            "127.0.0.0/8",
            "169.254.0.0/16", // link-local: the metadata service of most clouds
            "192.0.0.0/24", "198.18.0.0/15",
            "224.0.0.0/4", "240.0.0.0/4", // multicast, reserved, broadcast
            "::/127", // unspecified and loopback
            "64:ff9b:1::/48", // a translator of the network's own
            "2001::/32", // Teredo
            "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        ]).Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork _translated = IPNetwork.Parse("64:ff9b::/96"); // NAT64, RFC 6052
    private static readonly IPNetwork _compatible = IPNetwork.Parse("::/96"); // RFC 4291, section 2.5.5.1
    private static readonly IPNetwork _sixToFour = IPNetwork.Parse("2002::/16"); // RFC 3056

    public static bool IsPrivate(IPAddress address)
    {
        var reached = Reached(address);
        return Array.Exists(_private, network => network.BaseAddress.AddressFamily == reached.AddressFamily && network.Contains(reached));
    }

    private static IPAddress Reached(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        // Networks are compared without the zone of a link-local address.
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var bare = new IPAddress(bytes);
        if (_sixToFour.Contains(bare))
            return new IPAddress(bytes[2..6]);
        var isEmbedded = _translated.Contains(bare)
            || (_compatible.Contains(bare) && BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) > 1);
        return isEmbedded ? new IPAddress(bytes[12..]) : bare;
    }
}
