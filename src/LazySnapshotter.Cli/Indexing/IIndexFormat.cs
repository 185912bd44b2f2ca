using LazySnapshotter.Cli.Inspection;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Indexing;

/// <summary>Makes indexes of one kind and puts them in one place. Safe for concurrent use.</summary>
internal interface IIndexFormat
{
    string Name { get; }

    /// <summary>Why there is nothing to do for a layer, its index being there or not worth it; null if there is.</summary>
    LayerResult? Skip(Descriptor layer);

    /// <exception cref="InvalidDataException">The blob is damaged, or is not the layer.</exception>
    /// <exception cref="Layers.UnsupportedLayerException">The layer cannot be read lazily.</exception>
    Task<LayerResult> BuildAsync(Descriptor layer, Stream blob, IProgress<long> progress, CancellationToken cancellationToken);

    /// <summary>What is made of all layers of an image, when they are done. Null if nothing is.</summary>
    Task<string?> CompleteAsync(FoundImage image, IReadOnlyDictionary<Digest, LayerResult> layers, CancellationToken cancellationToken);
}
