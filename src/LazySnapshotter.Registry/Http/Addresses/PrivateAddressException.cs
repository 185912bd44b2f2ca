using System.Net;

namespace LazySnapshotter.Registry.Http.Addresses;

/// <summary>A place that a public host named is at a private address: no connection was made.</summary>
internal sealed class PrivateAddressException(IPAddress address) : IOException(Describe(address))
{
    public static string Describe(IPAddress address) =>
        $"a public host named this place, which is at the private address {address}; not followed";
}
