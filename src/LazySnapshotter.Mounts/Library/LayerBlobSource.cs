using System.Collections.Immutable;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Mounts.Library;

// Where a layer's bytes can be had: the repositories of all images that were seen to have it, the latest first. When
// one fails (deleted, credentials gone) the next is asked. All of them name the same digest, so it does not matter
// whose bytes they are.
internal sealed class LayerBlobSource(Digest digest) : IBlobReader
{
    // Base layers are shared by many repositories; a few are enough to survive one of them.
    private const int RepositoriesMax = 4;

    private ImmutableArray<(string Name, IBlobReader Blob)> _repositories = [];

    public Digest Digest => digest;

    /// <param name="repository">Registry and repository; the blob is opened only if it is not known there.</param>
    public void Add(ImageReference repository, Func<IBlobReader> open)
    {
        var name = $"{repository.Registry}/{repository.Repository}";
        ImmutableInterlocked.Update(ref _repositories, known => known is [var latest, ..] && latest.Name == name
            ? known
            : [known.FirstOrDefault(other => other.Name == name) is { Name: not null } before ? before : (name, open()),
                .. known.Where(other => other.Name != name).Take(RepositoriesMax - 1)]);
    }

    public Task<BlobRange> OpenRangeAsync(long offset, long length, ReadPriority priority, CancellationToken cancellationToken) =>
        FirstThatAnswersAsync(blob => blob.OpenRangeAsync(offset, length, priority, cancellationToken));

    public Task<Stream> OpenAsync(ReadPriority priority, CancellationToken cancellationToken) =>
        FirstThatAnswersAsync(blob => blob.OpenAsync(priority, cancellationToken));

    private async Task<T> FirstThatAnswersAsync<T>(Func<IBlobReader, Task<T>> open)
    {
        var repositories = _repositories;
        for (var i = 0; ; i++)
        {
            if (i == repositories.Length)
                throw new IOException($"{digest}: no repository is known to have it");
            try
            {
                return await open(repositories[i].Blob);
            }
            catch (IOException) when (i < repositories.Length - 1)
            {
                // The next repository may still have it; the last one's failure is the one reported.
            }
        }
    }
}
