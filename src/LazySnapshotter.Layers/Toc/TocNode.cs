namespace LazySnapshotter.Layers.Toc;

// One inode of a tree under construction (TocTree).
internal struct TocNode
{
    public TocEntryType Type;

    /// <summary>
    /// A hard link whose target has not come yet: Content has the target's path; once that is resolved, Content is null
    /// and Parent has the target's node.
    /// </summary>
    public bool IsPendingLink;

    /// <summary>A directory no header has named yet.</summary>
    public bool IsImplicit;

    public ushort Mode;
    public uint Uid;
    public uint Gid;
    public uint MtimeNanoseconds;
    public long MtimeSeconds;

    /// <summary>Length of a file; major * 2^32 + minor of a device.</summary>
    public long Size;

    /// <summary>Where a file's data starts in the tar.</summary>
    public long DataOffset;

    /// <summary>Which set of TocXattrSets; -1 for none.</summary>
    public int XattrSet;

    /// <summary>Of a directory: the directory it is in.</summary>
    public int Parent;

    /// <summary>Of a directory: the length of its path.</summary>
    public int PathLength;

    /// <summary>Of a directory: its latest name; -1 for none.</summary>
    public int FirstName;

    /// <summary>Target of a symbolic or pending hard link (byte[]), pieces of a sparse file (TocExtent[]), else null.</summary>
    public object? Content;
}
