using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Memory;

/// <summary>Where a registry redirected to for a blob of one repository. The URL is signed, so it never becomes text.</summary>
/// <param name="Registry">As in an image reference.</param>
/// <param name="Endpoint">Which of its endpoints said so.</param>
internal sealed record RememberedLocation(
    string Registry, string Repository, string Digest, string Endpoint, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt, string Url)
        : IRemembered
{
    public string Key => KeyOf(Registry, Repository, Digest);

    public static string KeyOf(string registry, string repository, string digest) => $"{registry}/{repository}@{digest}";

    public bool IsSound() => RememberedName.IsSound(Registry)
        && RememberedName.IsSound(Repository) && Oci.Digest.TryParse(Digest, out _) && RememberedName.IsSound(Endpoint)
        && Url is { Length: <= RegistryLimits.RememberedUrlCharsMax }
            && Uri.TryCreate(Url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http";

    public override string ToString() => $"location of {Key}";
}
