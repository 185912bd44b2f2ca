namespace LazySnapshotter.Layers.Tar;

// One entry as the tar has it, all extensions merged (pax over GNU over ustar); names are bytes, not text. Nothing
// here is checked against what a filesystem can hold: that is for who builds a tree of it.
internal sealed record TarEntry
{
    public required TarEntryType Type { get; init; }

    public required byte[] Name { get; init; }

    public required byte[] LinkName { get; init; }

    /// <summary>As the header has it; may hold file type bits.</summary>
    public long Mode { get; init; }

    public long Uid { get; init; }

    public long Gid { get; init; }

    public long MtimeSeconds { get; init; }

    public uint MtimeNanoseconds { get; init; }

    /// <summary>Length of the file as it reads, holes included.</summary>
    public long Size { get; init; }

    public long DeviceMajor { get; init; }

    public long DeviceMinor { get; init; }

    public IReadOnlyList<TarXattr> Xattrs { get; init; } = [];

    /// <summary>Where the entry's (last) header lies in the tar.</summary>
    public long HeaderOffset { get; init; }

    /// <summary>Where the entry's data starts in the tar.</summary>
    public long DataOffset { get; init; }

    /// <summary>The pieces a sparse file has data for, lying one after the other from DataOffset; null: not sparse.</summary>
    public SparseExtent[]? Sparse { get; init; }

    /// <summary>What only a parser that keeps headers has.</summary>
    public TarHeaderFacts? Header { get; init; }
}
