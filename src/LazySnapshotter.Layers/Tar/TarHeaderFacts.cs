namespace LazySnapshotter.Layers.Tar;

// What the header of an entry says beyond what a filesystem needs, for whoever describes the tar rather than the tree
// (a zTOC). Means what Go's archive/tar means by it.
internal sealed record TarHeaderFacts
{
    public required byte[] UserName { get; init; }

    public required byte[] GroupName { get; init; }

    /// <summary>The size the header (or its pax record) states, which links and directories may do without having data.</summary>
    public required long StatedSize { get; init; }

    /// <summary>All records of the entry's pax header, each key once, sorted by key.</summary>
    public required IReadOnlyList<PaxRecord> PaxRecords { get; init; }
}
