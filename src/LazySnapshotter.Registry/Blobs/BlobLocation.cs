namespace LazySnapshotter.Registry.Blobs;

// Where the bytes of a blob come from: the registry itself, asked with credentials each time, or a place it redirected
// to, asked directly until its URL expires. The URL is a secret while it is valid.
internal sealed class BlobLocation
{
    public static readonly BlobLocation AtRegistry = new(null, DateTimeOffset.MaxValue);

    private BlobLocation(Uri? elsewhere, DateTimeOffset expiresAt)
    {
        Elsewhere = elsewhere;
        ExpiresAt = expiresAt;
    }

    public Uri? Elsewhere { get; }

    public DateTimeOffset ExpiresAt { get; }

    public static BlobLocation At(Uri uri, DateTimeOffset now) => new(uri, UrlExpiry.Of(uri, now));
}
