using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http.Addresses;

// Keeps what a public registry names (redirects, realms, upload places) from leading to private addresses. Checked where
// the address is known for certain: names are resolved here, and the connection goes to the very addresses that were
// checked. Connections of the one kind are never lent to requests of the other, so there are two connectors, for two pools:
//   trusted  to what a person configured: any address. Whether a host was ever seen at a public address is noted.
//   guarded  to what a host named that is not private itself: public addresses alone.
// A registry of one's own network may name what it likes, and everybody may name himself. Through a proxy it is the proxy
// that resolves: then only addresses written out as such can be refused.
internal sealed class AddressGuard(RegistryOptions options, RegistryStatistics statistics)
{
    private readonly ConcurrentDictionary<string, bool> _seenPublic = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a request that <paramref name="home"/> led to must be sent with guarded connections.</summary>
    /// <param name="home">The configured place from which we were led to the target.</param>
    /// <exception cref="PrivateAddressException">It must not be sent at all.</exception>
    public async ValueTask<bool> IsGuardedAsync(Uri home, Uri target, CancellationToken cancellationToken)
    {
        if (home.Port == target.Port && home.IdnHost.Equals(target.IdnHost, StringComparison.OrdinalIgnoreCase))
            return false;
        if (options.MayLeadTo(target.Authority) || await IsPrivateAsync(home.IdnHost, cancellationToken))
            return false;
        if (IPAddress.TryParse(target.IdnHost.Trim('[', ']'), out var literal) && AddressPolicy.IsPrivate(literal))
            throw new PrivateAddressException(literal);
        return true;
    }

    public ValueTask<Stream> ConnectTrustedAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        ConnectAsync(context, isGuarded: false, cancellationToken);

    public ValueTask<Stream> ConnectGuardedAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        ConnectAsync(context, isGuarded: true, cancellationToken);

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, bool isGuarded, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await options.Resolve(host, cancellationToken);
        var wanted = context.InitialRequestMessage.RequestUri!;
        var isProxy = wanted.Port != port || !host.Trim('[', ']').Equals(wanted.IdnHost.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);
        if (isGuarded && !isProxy)
        {
            var refused = Array.Find(addresses, AddressPolicy.IsPrivate);
            addresses = [.. addresses.Where(address => !AddressPolicy.IsPrivate(address))];
            if (addresses.Length == 0 && refused is not null)
                throw new PrivateAddressException(refused);
        }
        else if (!isGuarded && !isProxy)
        {
            Note(host, addresses);
        }

        statistics.CountConnection();
        return await options.Dial(addresses, port, cancellationToken);
    }

    // Once public is public for good: who can point his name at a private address now and then gains nothing by it.
    private void Note(string host, IPAddress[] addresses)
    {
        if (_seenPublic.Count >= RegistryLimits.RememberedHostsMax)
            _seenPublic.Clear();
        var isPublic = Array.Exists(addresses, address => !AddressPolicy.IsPrivate(address));
        _seenPublic.AddOrUpdate(host, isPublic, (_, before) => before || isPublic);
    }

    private async ValueTask<bool> IsPrivateAsync(string host, CancellationToken cancellationToken)
    {
        if (_seenPublic.TryGetValue(host, out var seenPublic))
            return !seenPublic;
        // Not connected to yet (a remembered place is asked first after a restart), or only through a proxy.
        try
        {
            var addresses = await options.Resolve(host, cancellationToken);
            return addresses.Length > 0 && Array.TrueForAll(addresses, AddressPolicy.IsPrivate);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
