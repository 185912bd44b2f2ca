namespace LazySnapshotter.Layers.Toc;

// The arrays behind a LayerToc, one per attribute. Entries are numbered directory by directory from the root (0), so
// that the children of a directory mostly lie together. Who fills them (TocFreezer from a tar, TocReader from an index
// file) answers for their consistency.
internal sealed class TocColumns
{
    public required byte[] Types { get; init; }

    /// <summary>Which of the attributes an entry has.</summary>
    public required int[] AttributeIndexes { get; init; }

    public required TocAttributes[] Attributes { get; init; }

    public required long[] MtimeSeconds { get; init; }

    public required uint[] MtimeNanoseconds { get; init; }

    /// <summary>Of files and symbolic links; the number of children of directories; of devices major * 2^32 + minor.</summary>
    public required long[] Sizes { get; init; }

    /// <summary>
    /// Where the entry's content is. File: uncompressed offset, or ~i for the pieces SparseExtents[i]. Directory: its
    /// first name. Symbolic link: offset in LinkTargets.
    /// </summary>
    public required long[] Positions { get; init; }

    public required TocExtent[][] SparseExtents { get; init; }

    public required byte[] LinkTargets { get; init; }

    /// <summary>The names of all directories, each directory's in rising order; NameOffsets has one more than there are names.</summary>
    public required byte[] Names { get; init; }

    public required int[] NameOffsets { get; init; }

    /// <summary>The entry each name stands for.</summary>
    public required int[] NameEntries { get; init; }

    /// <summary>Bit 7 of a type: the directory is implicit.</summary>
    public const byte ImplicitFlag = 0x80;

    /// <summary>Bit 6: the directory was implicit when it was made, and a header named it later.</summary>
    public const byte NamedLateFlag = 0x40;

    public required IReadOnlyDictionary<int, TocXattr[]> Xattrs { get; init; }

    public TocEntryType TypeOf(int entry) => (TocEntryType)(Types[entry] & ~(ImplicitFlag | NamedLateFlag));

    public int ChildCount(int directory) => (int)Sizes[directory];

    public int FirstName(int directory) => (int)Positions[directory];

    public ReadOnlySpan<byte> Name(int name) => Names.AsSpan(NameOffsets[name], NameOffsets[name + 1] - NameOffsets[name]);
}
