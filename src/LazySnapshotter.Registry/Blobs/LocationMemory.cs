using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Memory;

namespace LazySnapshotter.Registry.Blobs;

// What outlives the process of one blob's location. Only places the registry redirected to are worth it: that a blob lies at
// the registry itself saves nobody a request. A URL in plain http is followed only for a registry that is spoken to in plain http.
internal sealed class LocationMemory(
    RegistryMemory memory, string registry, string repository, Digest digest, Func<bool> isPlainHttpAllowed, TimeProvider clock)
{
    private readonly string _key = RememberedLocation.KeyOf(registry, repository, digest.ToString());

    public BlobLocation? Recall()
    {
        if (memory.Locations.Recall(_key) is not { } remembered)
            return null;
        var uri = new Uri(remembered.Url);
        return uri.Scheme == Uri.UriSchemeHttps || isPlainHttpAllowed()
            ? BlobLocation.Remembered(remembered.Endpoint, uri, remembered.ExpiresAt)
            : null;
    }

    public void Remember(BlobLocation location)
    {
        if (location is { Elsewhere: { } uri, IsForeign: false })
        {
            memory.Locations.Remember(new RememberedLocation(
                registry, repository, digest.ToString(), location.Endpoint, clock.GetUtcNow(), location.ExpiresAt, uri.AbsoluteUri));
        }
        else
        {
            memory.Locations.Forget(_key);
        }
    }

    public void Forget(BlobLocation location) =>
        memory.Locations.Forget(_key, remembered => remembered.Url == location.Elsewhere?.AbsoluteUri);
}
