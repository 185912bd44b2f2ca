using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts;

// One way to get the index of a layer that has none on this node (DESIGN D7): from an artifact in the registry, ours
// or soci's, or by reading the layer. Whoever opens layers asks its sources one after the other; what one of them refuses
// or cannot get now, the next may have. An index obtained is on this node from then on. Safe for concurrent use.
public interface ILayerIndexSource
{
    /// <summary>As the configuration names it.</summary>
    string Name { get; }

    /// <summary>
    /// Starts to ask what there is about the image as a whole, so that several sources wait for a registry together; returns
    /// at once. Whoever wants the answer is told what became of it. A source that asks for each layer alone has nothing to start.
    /// </summary>
    void AskAhead(LayerOrigin origin)
    {
    }

    /// <summary>The layer's index, kept on this node and open; null if this source has none that can be used.</summary>
    /// <param name="identity">
    /// The one index that will do, because something stands on it; null if any will. A source that can choose chooses by it;
    /// one that makes its index may come back with another one, which is then an index of the layer like any other. What came from a
    /// registry is kept as published by the image's repository.
    /// </param>
    /// <exception cref="IOException">It cannot be had now; the message says why.</exception>
    /// <exception cref="InvalidDataException">What there is about the image, or the layer itself, is not what it should be.</exception>
    /// <exception cref="Layers.UnsupportedLayerException">The layer cannot be read lazily.</exception>
    Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken);
}

/// <param name="Index">The caller's to dispose.</param>
/// <param name="Warm">Spans that will be wanted first, in that order; fetching them ahead is worth it, nothing depends on it.</param>
public sealed record ObtainedIndex(LayerIndex Index, IReadOnlyList<SpanRangeToWarm> Warm);
