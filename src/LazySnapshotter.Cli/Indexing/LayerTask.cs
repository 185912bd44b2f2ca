using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Indexing;

/// <summary>A layer to index, and where its bytes come from.</summary>
/// <param name="Images">The images that have it, for whoever reads the result.</param>
internal sealed record LayerTask(Descriptor Layer, IImageSource Source, IReadOnlyList<string> Images)
{
    // Indexing a layer takes a core; more at a time only wait for each other.
    public static int AtATime { get; } = Environment.ProcessorCount;

    /// <summary>
    /// Each layer once, however many images and platforms have it. The largest first: the last one to begin should be short.
    /// </summary>
    public static IReadOnlyList<LayerTask> Of(IEnumerable<FoundImage> images)
    {
        var tasks = from image in images
                    from layer in image.Image.Layers.DistinctBy(layer => layer.Digest)
                    group (image, layer) by layer.Digest into same
                    let first = same.First()
                    orderby first.layer.Size descending
                    select new LayerTask(first.layer, first.image.Source, [.. same.Select(one => one.image.Name)]);
        return [.. tasks];
    }
}

/// <summary>An image of one platform, and the source that has it.</summary>
internal sealed record FoundImage(IImageSource Source, SourceImage Image)
{
    public string Name => $"{Source.Name} ({Image.Platform})";
}
