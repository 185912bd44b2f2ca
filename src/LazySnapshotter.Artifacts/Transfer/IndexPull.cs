using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Transfer;

/// <param name="Source">Where the layer's index came from; null if it was on this node.</param>
/// <param name="Length">Of the index file on this node.</param>
/// <param name="Failure">Why there is none; otherwise null.</param>
public sealed record PulledIndex(Descriptor Layer, string? Source, long Length, string? Failure);

// Gets the indexes of an image's layers onto this node, so that its next start needs neither registry nor time for them.
public sealed class IndexPull(LayerIndexStore indexes, IndexAcquisition acquisition)
{
    private const int LayersAtATime = 4;

    /// <param name="manifest">The image's.</param>
    /// <returns>In the order of the layers.</returns>
    public async Task<IReadOnlyList<PulledIndex>> RunAsync(
        ImageReference repository, Digest manifest, IReadOnlyList<Descriptor> layers, CancellationToken cancellationToken)
    {
        var distinct = layers.DistinctBy(layer => layer.Digest).ToList();
        var pulled = new PulledIndex[distinct.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, distinct.Count),
            new ParallelOptions { MaxDegreeOfParallelism = LayersAtATime, CancellationToken = cancellationToken },
            async (i, ct) => pulled[i] = await PullAsync(new LayerOrigin(repository, manifest), distinct[i], ct));
        return pulled;
    }

    private async Task<PulledIndex> PullAsync(LayerOrigin origin, Descriptor layer, CancellationToken cancellationToken)
    {
        if (indexes.TryOpenFor(layer.Digest, origin.Image.Name, out _) is { } present)
        {
            using (present)
                return new PulledIndex(layer, Source: null, present.FileLength, Failure: null);
        }

        string? failure = null;
        await foreach (var answer in acquisition.AskAsync(origin, layer.Digest, identity: null, cancellationToken: cancellationToken))
        {
            using var index = answer.Obtained?.Index;
            if (index is not null)
                return new PulledIndex(layer, answer.Source.Name, index.FileLength, Failure: null);
            failure = answer.Failure?.Message ?? failure;
        }

        return new PulledIndex(layer, Source: null, Length: 0, failure ?? "the registry has no index of it that can be used");
    }
}
