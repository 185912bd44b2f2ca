using System.Collections.Concurrent;
using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Indexing;

// Indexes all layers of some images: each layer once, several at a time, what is there already not at all. A layer that
// cannot be indexed does not keep the others from it.
internal sealed class ImageIndexing(IIndexFormat format, ResultWriter results)
{
    private readonly ConcurrentDictionary<Digest, LayerResult> _done = new();

    /// <returns>Whether every layer has its index, or needs none.</returns>
    public async Task<bool> RunAsync(IReadOnlyList<FoundImage> images, IBuildProgress progress, CancellationToken cancellationToken)
    {
        var missing = new List<LayerTask>();
        foreach (var task in LayerTask.Of(images))
        {
            if (format.Skip(task.Layer) is { } skipped)
                Add(task, skipped);
            else
                missing.Add(task);
        }

        progress.Expect(missing.Sum(task => task.Layer.Size));
        await Parallel.ForEachAsync(
            missing,
            new ParallelOptions { MaxDegreeOfParallelism = LayerTask.AtATime, CancellationToken = cancellationToken },
            async (task, ct) => Add(task, await BuildAsync(task, progress, ct)));

        foreach (var image in images)
        {
            if (await format.CompleteAsync(image, _done, cancellationToken) is { } made)
                results.WriteNote(made);
        }

        return _done.Values.All(result => result.State != IndexingState.Failed);
    }

    private async Task<LayerResult> BuildAsync(LayerTask task, IBuildProgress progress, CancellationToken cancellationToken)
    {
        using var layer = progress.Start(task.Layer.Digest.Hex[..12], task.Layer.Size);
        try
        {
            await using var blob = await task.Source.OpenLayer(task.Layer).OpenAsync(ReadPriority.Demanded(), cancellationToken);
            return await format.BuildAsync(task.Layer, blob, layer, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or UnsupportedLayerException or IOException)
        {
            return new LayerResult { Layer = task.Layer.Digest, State = IndexingState.Failed, Format = format.Name,
                Reason = $"{task.Source.Name}: {e.Message}" };
        }
    }

    private void Add(LayerTask task, LayerResult result)
    {
        result = result with { Images = task.Images };
        _done[task.Layer.Digest] = result;
        results.Write(result);
    }
}
