namespace LazySnapshotter.Layers.Placement;

// A block boundary in a BoundaryGraph. The sums run over everything before it; they may wrap around, since only
// differences of neighbouring ones are used, and these are small.
internal struct BoundaryNode
{
    public const long UnknownCost = -1;

    public Checkpoint Start;

    /// <summary>What its window would cost as index.</summary>
    public long WindowCost;

    /// <summary>Cost of the cheapest path from the root.</summary>
    public long PathCost;

    /// <summary>The node before it on that path, counted from the start of the layer.</summary>
    public long Parent;

    /// <summary>Weights of the reads that start before it, and these weights times the place of the boundary before them.</summary>
    public long StartWeights, StartPlaces;
}
