using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Blobs;

// Where the bytes of a blob come from: an endpoint of the registry, asked with credentials each time, a place it redirected
// to, asked directly until its URL expires, or a place its descriptor names. The URL is a secret while it is valid.
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

    /// <summary>Named by a descriptor, not by the registry.</summary>
    public bool IsForeign { get; private init; }

    /// <summary>Of a foreign blob: where to go if it is not here.</summary>
    public BlobLocation? Next { get; private init; }

    /// <summary>
    /// How often one read goes on after a refusal: once for each place a descriptor names. Places of the registry's naming served
    /// whoever was led there, so a refusal means that this is over (some URLs are good for one request); the read that
    /// asks the registry itself and is refused where it is led fails. This bounds only how often others were faster to ask.
    /// </summary>
    public int RefusalsMax { get; private init; } = 5;

    public static BlobLocation At(RegistryEndpoint endpoint, bool isFirstChoice, DateTimeOffset now) =>
        new(endpoint.Key, null, isFirstChoice ? DateTimeOffset.MaxValue : now + SecondChoiceRemembered);

    public static BlobLocation At(RegistryEndpoint endpoint, Uri uri, DateTimeOffset now) => new(endpoint.Key, uri, UrlExpiry.Of(uri, now));

    public static BlobLocation Remembered(string endpoint, Uri uri, DateTimeOffset expiresAt) => new(endpoint, uri, expiresAt);

    /// <summary>The first of the places a descriptor names (image-spec, "urls"); null where it names none.</summary>
    public static BlobLocation? Foreign(IReadOnlyList<Uri> uris)
    {
        BlobLocation? next = null;
        foreach (var uri in uris.Reverse())
            next = new BlobLocation("", uri, DateTimeOffset.MaxValue) { IsForeign = true, Next = next, RefusalsMax = uris.Count };
        return next;
    }
}
