using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Artifacts.Transfer;

// Puts the blobs of an artifact into a repository, several at a time, and the two bytes of its configuration. The manifest
// comes after them, so that an artifact that can be found is whole.
internal static class ArtifactPush
{
    private const int BlobsAtATime = 4;

    /// <param name="mountFrom">A repository of the same registry that has the blobs.</param>
    /// <param name="pushed">Told about each blob as it gets there; from several threads.</param>
    public static async Task PutBlobsAsync(
        RegistryClient registry,
        ImageReference repository,
        IReadOnlyCollection<BlobContent> blobs,
        ImageReference? mountFrom,
        Action<Digest, BlobPush>? pushed,
        CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            blobs.DistinctBy(blob => blob.Digest),
            new ParallelOptions { MaxDegreeOfParallelism = BlobsAtATime, CancellationToken = cancellationToken },
            async (blob, ct) =>
            {
                var how = await registry.PushBlobAsync(repository, blob, mountFrom, progress: null, ct);
                pushed?.Invoke(blob.Digest, how);
            });
        await registry.PushBlobAsync(repository, BlobContent.OfBytes("{}"u8.ToArray()), mountFrom: null, progress: null, cancellationToken);
    }
}
