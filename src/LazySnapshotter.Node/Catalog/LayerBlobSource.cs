using System.Collections.Immutable;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Catalog;

// Where a layer's bytes can be had: the repositories of all images that were seen to have it, the latest first. When
// one fails (deleted, credentials gone) the next is asked; when its registry is in trouble, the next of another. All of them
// name the same digest, so it does not matter whose bytes they are.
internal sealed class LayerBlobSource(Digest digest) : IBlobReader
{
    // Base layers are shared by many repositories; a few are enough to survive one of them.
    private const int RepositoriesMax = 4;

    private ImmutableArray<(string Name, string Registry, IBlobReader Blob)> _repositories = [];

    public Digest Digest => digest;

    public bool? GivesRanges => _repositories is [var first, ..] ? first.Blob.GivesRanges : null;

    /// <param name="repository">Registry and repository; the blob is opened only if it is not known there.</param>
    public void Add(ImageReference repository, Func<IBlobReader> open)
    {
        var name = $"{repository.Registry}/{repository.Repository}";
        ImmutableInterlocked.Update(ref _repositories, known => known is [var latest, ..] && latest.Name == name
            ? known
            : [known.FirstOrDefault(other => other.Name == name) is { Name: not null } before
                ? before
                : (name, repository.Registry, open()),
                .. known.Where(other => other.Name != name).Take(RepositoriesMax - 1)]);
    }

    public Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
        FirstThatAnswersAsync(blob => blob.OpenRangeAsync(offset, length, priority, cancellationToken));

    public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
        FirstThatAnswersAsync(blob => blob.OpenAsync(priority, cancellationToken));

    private async Task<T> FirstThatAnswersAsync<T>(Func<IBlobReader, Task<T>> open)
    {
        var left = _repositories;
        if (left.IsEmpty)
            throw new IOException($"{digest}: no repository is known to have it");
        while (true)
        {
            var (_, registry, blob) = left[0];
            left = left.RemoveAt(0);
            try
            {
                return await open(blob);
            }
            catch (IOException e) when (MayHaveIt(e) is { IsEmpty: false } next)
            {
                left = next; // The last one's failure is the one reported.
            }

            ImmutableArray<(string Name, string Registry, IBlobReader Blob)> MayHaveIt(IOException failure) =>
                failure is ISourceFailure { IsFinal: true } ? left.RemoveAll(other => other.Registry == registry) : left;
        }
    }
}
