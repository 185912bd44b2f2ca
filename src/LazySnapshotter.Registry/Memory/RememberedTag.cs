using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Memory;

/// <summary>
/// What a tag named when it was last asked for. Only ever a hint that saves sending the manifest again: a tag may move
/// at any moment, so the registry is asked each time.
/// </summary>
/// <param name="Endpoint">Which of the registry's endpoints gave the ETag.</param>
/// <param name="ETag">As it was written; null where there was none.</param>
internal sealed record RememberedTag(
    string Registry, string Repository, string Tag, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt, string Digest, string? Endpoint,
    string? ETag) : IRemembered
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    public string Key => KeyOf(Registry, Repository, Tag);

    public Digest Names => Oci.Digest.Parse(Digest);

    public static string KeyOf(string registry, string repository, string tag) => $"{registry}/{repository}:{tag}";

    public bool IsSound() => RememberedName.IsSound(Registry)
        && RememberedName.IsSound(Repository) && RememberedName.IsSound(Tag) && Oci.Digest.TryParse(Digest, out _)
        && (Endpoint is null || RememberedName.IsSound(Endpoint)) && (ETag is null || RememberedName.IsSound(ETag));
}
