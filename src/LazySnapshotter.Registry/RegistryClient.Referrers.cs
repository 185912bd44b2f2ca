using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry;

// Manifests that refer to another one (OCI distribution-spec 1.1). A registry with the referrers API lists them itself;
// for one without, clients keep the list as an index under a tag (ReferrersIndex). Which it is, is learned once per host.
public sealed partial class RegistryClient
{
    /// <summary>The manifests of the repository whose subject is <paramref name="subject"/>; none is an answer too.</summary>
    /// <param name="artifactType">Only those of this type; null for all.</param>
    public Task<IReadOnlyList<Descriptor>> ListReferrersAsync(
        ImageReference repository, Digest subject, string? artifactType, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Puts a manifest that has a subject, by digest, and sees to it that it is listed, by the registry or under the tag.</summary>
    /// <returns>Its entry among the referrers.</returns>
    public Task<Descriptor> PushReferrerAsync(
        ImageReference repository, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Deletes a manifest that refers to <paramref name="subject"/>, and its entry in a list kept under a tag.</summary>
    /// <returns>False where there was none.</returns>
    public Task<bool> DeleteReferrerAsync(ImageReference repository, Digest subject, Digest referrer, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Adds an entry to the list under the tag, whatever API the registry has.</summary>
    /// <returns>False where it was there.</returns>
    public Task<bool> AddReferrerAsync(ImageReference repository, Digest subject, Descriptor referrer, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Takes an entry out of the list under the tag; the tag goes with the last one where the registry lets it.</summary>
    /// <returns>False where it was not there.</returns>
    public Task<bool> RemoveReferrerAsync(ImageReference repository, Digest subject, Digest referrer, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
