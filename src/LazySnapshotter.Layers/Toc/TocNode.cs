namespace LazySnapshotter.Layers.Toc;

// One inode of a tree under construction (TocTree): 40 bytes, for there may be millions.
internal struct TocNode
{
    [Flags]
    private enum Flags : byte
    {
        None = 0,
        Implicit = 1,
        NamedLate = 2,
    }

    /// <summary>Length of a file or of a symbolic link's target; major * 2^32 + minor of a device.</summary>
    public long Size;

    /// <summary>
    /// Where a file's data starts in the tar, or ~i for the i-th sparse file; a symbolic link's target in the text pool.
    /// </summary>
    public long Position;

    public long MtimeSeconds;
    public uint MtimeNanoseconds;

    /// <summary>Which of the tree's attributes.</summary>
    public int Attributes;

    /// <summary>Which set of TocXattrSets; -1 for none.</summary>
    public int XattrSet;

    /// <summary>Of a directory: the length of its path.</summary>
    public ushort PathLength;

    private byte _type;
    private Flags _flags;

    public TocEntryType Type
    {
        readonly get => (TocEntryType)_type;
        set => _type = (byte)value;
    }

    /// <summary>A directory no header has named yet.</summary>
    public bool IsImplicit
    {
        readonly get => (_flags & Flags.Implicit) != 0;
        set => _flags = value ? _flags | Flags.Implicit : _flags & ~Flags.Implicit;
    }

    /// <summary>A directory that was implicit until a header named it.</summary>
    public bool IsNamedLate
    {
        readonly get => (_flags & Flags.NamedLate) != 0;
        set => _flags = value ? _flags | Flags.NamedLate : _flags & ~Flags.NamedLate;
    }

    // A directory has neither size nor position.

    /// <summary>Of a directory: the directory it is in.</summary>
    public int Parent
    {
        readonly get => (int)Position;
        set => Position = value;
    }

    /// <summary>Of a directory: its latest name; -1 for none.</summary>
    public int FirstName
    {
        readonly get => (int)Size;
        set => Size = value;
    }
}
