using System.Globalization;
using System.Net;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// NO_PROXY: which hosts are reached directly. Separated by commas: an address, a network (10.0.0.0/8), a domain
// (example.com is the name and all below it, .example.com or *.example.com those below it alone), each with a port or for all
// ports; * is everything. This machine always is.
internal sealed class ProxyExceptions
{
    private readonly bool _everything;
    private readonly List<IPNetwork> _networks = [];
    private readonly List<(IPAddress Address, int? Port)> _addresses = [];
    private readonly List<(string Name, bool OnlyBelow, int? Port)> _domains = [];

    public ProxyExceptions(string text)
    {
        foreach (var entry in text.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (entry == "*")
                _everything = true;
            else if (IPNetwork.TryParse(entry, out var network) || TryParseLoosely(entry, out network))
                _networks.Add(network);
            else
                AddHost(entry);
        }
    }

    public bool Contain(Uri destination)
    {
        var host = destination.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        if (_everything || Loopback.IsLoopback(host))
            return true;
        if (IPAddress.TryParse(host, out var address))
        {
            return _networks.Exists(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address))
                || _addresses.Exists(a => a.Address.Equals(address) && IsPort(a.Port));
        }

        return _domains.Exists(
            d => IsPort(d.Port) && ((!d.OnlyBelow && host == d.Name) || host.EndsWith("." + d.Name, StringComparison.Ordinal)));

        bool IsPort(int? port) => port is null || port == destination.Port;
    }

    private void AddHost(string entry)
    {
        var name = Loopback.WithoutPort(entry);
        int? port = null;
        if (name.Length < entry.Length)
        {
            if (!int.TryParse(entry.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return;
            port = number;
        }

        if (IPAddress.TryParse(name.Trim('[', ']'), out var address))
        {
            _addresses.Add((address, port));
            return;
        }

        if (name.StartsWith("*.", StringComparison.Ordinal))
            name = name[1..];
        var onlyBelow = name.StartsWith('.');
        if (name.TrimStart('.') is { Length: > 0 } bare)
            _domains.Add((bare, onlyBelow, port));
    }

    // Go masks what .NET refuses: 10.1.2.3/8 is 10.0.0.0/8.
    private static bool TryParseLoosely(string entry, out IPNetwork network)
    {
        network = default;
        var slash = entry.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(entry.AsSpan(0, slash), out var address)
            || !int.TryParse(entry.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return false;
        }

        var bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
            return false;
        for (var bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
