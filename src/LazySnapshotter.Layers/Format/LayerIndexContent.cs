using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Format;

// Everything an index file is made of, wherever it was learned: in a pass over the layer, or from another format.
internal sealed record LayerIndexContent
{
    public required LayerCompression Compression { get; init; }

    public required Digest LayerDigest { get; init; }

    /// <summary>Null where nobody has seen the whole tar.</summary>
    public required Digest? DiffId { get; init; }

    public required LayerToc Toc { get; init; }

    public required SpanTable Spans { get; init; }

    /// <summary>One window for each span.</summary>
    public required WindowSpool Windows { get; init; }
}
