using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry;

// The writing half. What is put is checked before it is sent and by what the registry says of it afterwards; each
// operation may be repeated without harm.
public sealed partial class RegistryClient
{
    /// <summary>Puts a blob into a repository, unless it is there.</summary>
    /// <param name="repository">Registry and repository count; tag and digest do not.</param>
    /// <param name="mountFrom">Another repository of the same registry that has the blob: the registry is asked to take it over from there.</param>
    /// <param name="progress">Bytes sent so far; goes back to 0 when the push has to be repeated.</param>
    /// <exception cref="RegistryException">It cannot be put, or the content is not what its digest says.</exception>
    public Task<BlobPush> PushBlobAsync(
        ImageReference repository, BlobContent content, ImageReference? mountFrom, IProgress<long>? progress, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Asks the registry to take a blob over from another of its repositories.</summary>
    /// <returns>False where it does not.</returns>
    public Task<bool> TryMountBlobAsync(ImageReference repository, Digest digest, ImageReference from, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Puts a manifest or index whose blobs and manifests are in the repository.</summary>
    /// <param name="tag">Null: it is put by its digest alone.</param>
    public Task<ManifestPush> PutManifestAsync(
        ImageReference repository, string? tag, string mediaType, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Deletes a manifest and with it every tag that names it.</summary>
    /// <returns>False where there was none.</returns>
    /// <exception cref="RegistryException">The registry does not (<see cref="RegistryFailure.Refused"/>), or not for us.</exception>
    public Task<bool> DeleteManifestAsync(ImageReference repository, Digest digest, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>What a tag or digest names, without fetching it; null where there is nothing.</summary>
    public Task<Descriptor?> FindManifestAsync(ImageReference reference, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>All tags of a repository.</summary>
    public Task<IReadOnlyList<string>> ListTagsAsync(ImageReference repository, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
