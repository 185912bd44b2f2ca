using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Blobs;

// Where the bytes of a blob come from: an endpoint of the registry, asked with credentials each time, or a place it redirected
// to, asked directly until its URL expires. The URL is a secret while it is valid.
internal sealed class BlobLocation
{
    // A mirror passed over comes into its own again after a while.
    private static readonly TimeSpan SecondChoiceRemembered = TimeSpan.FromMinutes(10);

    private BlobLocation(string endpoint, Uri? elsewhere, DateTimeOffset expiresAt)
    {
        Endpoint = endpoint;
        Elsewhere = elsewhere;
        ExpiresAt = expiresAt;
    }

    /// <summary>The <see cref="RegistryEndpoint.Key"/> of the endpoint that has it, or that redirected to it.</summary>
    public string Endpoint { get; }

    public Uri? Elsewhere { get; }

    public DateTimeOffset ExpiresAt { get; }

    public static BlobLocation At(RegistryEndpoint endpoint, bool isFirstChoice, DateTimeOffset now) =>
        new(endpoint.Key, null, isFirstChoice ? DateTimeOffset.MaxValue : now + SecondChoiceRemembered);

    public static BlobLocation At(RegistryEndpoint endpoint, Uri uri, DateTimeOffset now) => new(endpoint.Key, uri, UrlExpiry.Of(uri, now));
}
