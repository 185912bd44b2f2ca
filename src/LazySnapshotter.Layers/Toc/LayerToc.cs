using System.Diagnostics;

namespace LazySnapshotter.Layers.Toc;

// A layer's table of contents: the tree overlayfs would be given, had containerd unpacked the layer's tar. Immutable,
// safe for concurrent use, and small (columns; some 60 bytes for each entry and its name). Entry 0 is the root. An
// entry's number is the same whenever the layer is indexed again, and for ever in one index file.
//
// Whiteouts appear as overlayfs wants them: a character device 0:0 under the bare name, and the attribute
// trusted.overlay.opaque = "y" on a directory that hides what is below.
public sealed class LayerToc
{
    private readonly TocColumns _columns;
    private readonly uint[] _linkCounts;
    private int[]? _firstNames; // made when first asked for: only messages and tools want paths
    private readonly int[] _directories;

    internal LayerToc(TocColumns columns)
    {
        _columns = columns;
        _linkCounts = new uint[Count];
        var directories = new List<int>();
        var implicitDirectories = new List<int>();
        var lateDirectories = new List<int>();
        for (var entry = 0; entry < Count; entry++)
        {
            if (columns.TypeOf(entry) != TocEntryType.Directory)
                continue;

            directories.Add(entry);
            if ((columns.Types[entry] & TocColumns.ImplicitFlag) != 0)
                implicitDirectories.Add(entry);
            if ((columns.Types[entry] & TocColumns.NamedLateFlag) != 0)
                lateDirectories.Add(entry);
            _linkCounts[entry] += 2;
            CountNames(entry);
        }

        _directories = [.. directories];
        ImplicitDirectories = implicitDirectories;
        LateDirectories = lateDirectories;
    }

    public int Count => _columns.Types.Length;

    /// <summary>Directories that take their attributes from the layers below (<see cref="TocEntry.IsImplicit"/>).</summary>
    public IReadOnlyList<int> ImplicitDirectories { get; }

    /// <summary>Directories that take extended attributes from the layers below (<see cref="TocEntry.IsNamedLate"/>).</summary>
    public IReadOnlyList<int> LateDirectories { get; }

    /// <summary>The mark of an opaque directory (Documentation/filesystems/overlayfs.rst in the kernel); its value is "y".</summary>
    public static ReadOnlySpan<byte> OpaqueXattr => "trusted.overlay.opaque"u8;

    internal TocColumns Columns => _columns;

    public TocEntry this[int entry]
    {
        get
        {
            var type = _columns.TypeOf(entry);
            var attributes = _columns.Attributes[_columns.AttributeIndexes[entry]];
            var isDevice = type is TocEntryType.CharacterDevice or TocEntryType.BlockDevice;
            return new TocEntry
            {
                Type = type,
                Mode = attributes.Mode,
                Uid = attributes.Uid,
                Gid = attributes.Gid,
                MtimeSeconds = _columns.MtimeSeconds[entry],
                MtimeNanoseconds = _columns.MtimeNanoseconds[entry],
                Size = type is TocEntryType.File or TocEntryType.SymbolicLink ? _columns.Sizes[entry] : 0,
                LinkCount = _linkCounts[entry],
                DeviceMajor = isDevice ? (uint)(_columns.Sizes[entry] >> 32) : 0,
                DeviceMinor = isDevice ? (uint)_columns.Sizes[entry] : 0,
                IsImplicit = (_columns.Types[entry] & TocColumns.ImplicitFlag) != 0,
                IsNamedLate = (_columns.Types[entry] & TocColumns.NamedLateFlag) != 0,
            };
        }
    }

    /// <summary>How many names a directory has; 0 for anything else.</summary>
    public int ChildCount(int directory) =>
        _columns.TypeOf(directory) == TocEntryType.Directory ? _columns.ChildCount(directory) : 0;

    /// <summary>A directory's name at a position; names rise in byte order.</summary>
    public ReadOnlySpan<byte> ChildName(int directory, int position) => _columns.Name(NameAt(directory, position));

    public int ChildEntry(int directory, int position) => _columns.NameEntries[NameAt(directory, position)];

    /// <summary>Looks up one name, no path, in a directory.</summary>
    public bool TryFind(int directory, ReadOnlySpan<byte> name, out int entry)
    {
        entry = 0;
        if (_columns.TypeOf(directory) != TocEntryType.Directory)
            return false;

        var low = _columns.FirstName(directory);
        var high = low + _columns.ChildCount(directory) - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = _columns.Name(middle).SequenceCompareTo(name);
            if (order == 0)
            {
                entry = _columns.NameEntries[middle];
                return true;
            }

            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return false;
    }

    /// <summary>Looks up a path from the root, component by component; follows no symbolic links and knows no "..".</summary>
    public bool TryResolve(ReadOnlySpan<byte> path, out int entry)
    {
        entry = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            var name = path[range];
            if (!name.IsEmpty && !name.SequenceEqual("."u8) && !TryFind(entry, name, out entry))
                return false;
        }

        return true;
    }

    public ReadOnlyMemory<byte> LinkTarget(int entry) =>
        _columns.TypeOf(entry) == TocEntryType.SymbolicLink
            ? _columns.LinkTargets.AsMemory((int)_columns.Positions[entry], (int)_columns.Sizes[entry])
            : default;

    public IReadOnlyList<TocXattr> Xattrs(int entry) => _columns.Xattrs.TryGetValue(entry, out var xattrs) ? xattrs : [];

    /// <summary>Entries that have extended attributes, with these.</summary>
    public IEnumerable<KeyValuePair<int, TocXattr[]>> EntriesWithXattrs => _columns.Xattrs;

    /// <summary>Whether a directory hides what the layers below have in it.</summary>
    public bool IsOpaque(int directory)
    {
        foreach (var xattr in Xattrs(directory))
        {
            if (xattr.Name.Span.SequenceEqual(OpaqueXattr))
                return true;
        }

        return false;
    }

    public TocExtents Extents(int entry)
    {
        if (_columns.TypeOf(entry) != TocEntryType.File || _columns.Sizes[entry] == 0)
            return default;
        var position = _columns.Positions[entry];
        return position < 0
            ? new TocExtents(_columns.SparseExtents[~position])
            : new TocExtents(new TocExtent(0, position, _columns.Sizes[entry]));
    }

    /// <summary>An entry's path from the root without a leading slash, its first one if it has several; empty for the root.</summary>
    public byte[] PathOf(int entry)
    {
        var firstNames = _firstNames ??= FindFirstNames();
        var path = new List<byte>();
        while (entry != 0)
        {
            var name = firstNames[entry];
            if (path.Count > 0)
                path.Insert(0, (byte)'/');
            path.InsertRange(0, _columns.Name(name));
            entry = DirectoryOf(name);
        }

        return [.. path];
    }

    /// <summary>An entry's path for a message: control characters escaped, cut where it gets long.</summary>
    public string DisplayPathOf(int entry) => TarPath.Display(PathOf(entry));

    private void CountNames(int directory)
    {
        var first = _columns.FirstName(directory);
        for (var name = first; name < first + _columns.ChildCount(directory); name++)
        {
            var child = _columns.NameEntries[name];
            _linkCounts[_columns.TypeOf(child) == TocEntryType.Directory ? directory : child]++;
        }
    }

    private int[] FindFirstNames()
    {
        var firstNames = new int[Count];
        for (var name = _columns.NameEntries.Length - 1; name >= 0; name--)
            firstNames[_columns.NameEntries[name]] = name;
        return firstNames;
    }

    private int NameAt(int directory, int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, ChildCount(directory));
        return _columns.FirstName(directory) + position;
    }

    /// <summary>The directory that has a name: names are numbered directory by directory.</summary>
    private int DirectoryOf(int name)
    {
        var low = 0;
        var high = _directories.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (_columns.FirstName(_directories[middle]) <= name)
                low = middle;
            else
                high = middle - 1;
        }

        // Directories without names share their first name with the next one; the last of them is the one that has it.
        Debug.Assert(name < _columns.FirstName(_directories[low]) + _columns.ChildCount(_directories[low]));
        return _directories[low];
    }
}
