using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// Applies tar entries to a tree the way containerd does it when it unpacks a layer for overlayfs (its packages
// archive and continuity/fs: RootPath), so that what we show is what the ordinary way would have shown:
//
// - names are cleaned first; symbolic links on the way to an entry are followed, inside the layer's root
// - the last entry of a name wins; only a directory over a directory merges
// - the root's own header is ignored: the root is 0755 root:root
// - `.wh.NAME` becomes a character device 0:0 called NAME, `.wh..wh..opq` an attribute of its directory
// - a hard link's target comes before it; its header changes the inode it links to; a symbolic link's mode is always 0777
// - times before 1970 or behind 2262 become 1970; what becomes of extended attributes is TocXattrPolicy's
//
// What containerd refuses is refused here, with an InvalidDataException. So is a whiteout of what its own layer has: containerd
// refuses it above another layer, and in the lowest one removes what came before, against the image specification.
internal sealed partial class TocBuilder : ITarSink
{
    private const uint SymbolicLinkMode = 0x1FF; // 0777
    private const uint ImplicitMode = 0x1ED; // 0755
    private const uint ModeMask = 0xFFF; // 07777

    private TocTree _tree = new();
    private readonly TocXattrSets _xattrs = new();
    private readonly List<ReadOnlyMemory<byte>> _components = [];
    private readonly List<ReadOnlyMemory<byte>> _targetComponents = [];
    private readonly Stack<ReadOnlyMemory<byte>> _walk = new();
    private int _entryCount;
    private int _implicitCount;
    private int _sparseExtentCount;

    private static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    private static ReadOnlySpan<byte> OpaqueMarker => ".wh..wh..opq"u8;

    /// <summary>How many entries have been added.</summary>
    public int EntryCount => _entryCount;

    public void Add(TarEntry entry)
    {
        if (++_entryCount > TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} entries");
        try
        {
            Apply(entry);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"entry {TarPath.Display(entry.Name)}: {exception.Message}", exception);
        }
    }

    /// <summary>The tree as it is now, once: the builder is empty then.</summary>
    /// <exception cref="InvalidDataException">
    /// A directory's name leads to nothing in the end, or a directory that no header names is gone: it might have been refused above
    /// some layers (ImplicitDirectoryResolver), which nobody could tell any more.
    /// </exception>
    public LayerToc Build()
    {
        SetDirectoryTimes();
        _tree.Seal();
        BuildMemory.Release(_entryCount); // what parsing has left, to make room for the columns
        var columns = TocFreezer.Freeze(_tree, _xattrs);
        _tree = new TocTree();
        BuildMemory.Release(_entryCount); // the tree, to make room for the index file
        var toc = new LayerToc(columns);
        if (toc.ImplicitDirectories.Count + toc.LateDirectories.Count < _implicitCount)
            throw new InvalidDataException("tar: a directory that it leaves out is replaced by a later entry");
        return toc;
    }

    private void Apply(TarEntry entry)
    {
        if (entry.Name.AsSpan().Contains((byte)0))
            throw new InvalidDataException("the name has a NUL");
        TarPath.Clean(entry.Name, _components);
        if (_components.Count == 0)
            return; // the root

        var name = _components[^1].Span;
        PushAll(_components, _components.Count - 1);
        var directory = Walk(create: true);

        if (name.SequenceEqual(OpaqueMarker))
            MarkOpaque(directory);
        else if (name.StartsWith(WhiteoutPrefix))
            AddWhiteout(directory, name[WhiteoutPrefix.Length..], entry);
        else
            AddEntry(directory, name, entry);
    }

    private void AddEntry(int directory, ReadOnlySpan<byte> name, TarEntry entry)
    {
        if (entry.Type == TarEntryType.Directory)
            _directoryTimes.Add((entry.Name, entry.MtimeSeconds, entry.MtimeNanoseconds));
        var existing = _tree.Find(directory, name);
        switch (entry.Type)
        {
            case TarEntryType.GlobalHeader:
                _tree.Unlink(directory, name); // containerd clears the way for every header, then finds nothing to write
                return;
            case TarEntryType.HardLink:
                AddHardLink(directory, name, entry);
                return;
            case TarEntryType.Directory when existing != TocTree.None && _tree[existing].Type == TocEntryType.Directory:
                SetAttributes(existing, entry);
                return;
            default:
                var node = _tree.AddNode(ContentOf(entry));
                var mode = (uint)entry.Mode & ModeMask;
                _tree[node].XattrSet = TocXattrPolicy.OfNew(_xattrs, _tree[directory].XattrSet, _tree[node].Type, mode);
                SetAttributes(node, entry);
                _tree.Link(directory, name, node);
                return;
        }
    }

    private TocNode ContentOf(TarEntry entry)
    {
        switch (entry.Type)
        {
            case TarEntryType.Directory:
                return new TocNode { Type = TocEntryType.Directory };
            case TarEntryType.SymbolicLink:
                if (entry.LinkName.Length is 0 or > TarLimits.PathLengthMax || entry.LinkName.AsSpan().Contains((byte)0))
                    throw new InvalidDataException($"symbolic link target of {entry.LinkName.Length} bytes is not valid");
                return new TocNode { Type = TocEntryType.SymbolicLink, Size = entry.LinkName.Length, Position = _tree.AddTarget(
                    entry.LinkName) };
            case TarEntryType.Fifo:
                return new TocNode { Type = TocEntryType.Fifo };
            case TarEntryType.CharacterDevice or TarEntryType.BlockDevice:
                if (entry.DeviceMajor is < 0 or > TarLimits.DeviceMajorMax || entry.DeviceMinor is < 0 or > TarLimits.DeviceMinorMax)
                    throw new InvalidDataException($"device number {entry.DeviceMajor}:{entry.DeviceMinor} is out of range");
                return new TocNode
                {
                    Type = entry.Type == TarEntryType.BlockDevice ? TocEntryType.BlockDevice : TocEntryType.CharacterDevice,
                    Size = entry.DeviceMajor << 32 | entry.DeviceMinor,
                };
            default:
                return new TocNode { Type = TocEntryType.File, Size = entry.Size, Position = ExtentsOf(entry) is { } extents
                    ? _tree.AddSparse(extents)
                    : entry.DataOffset };
        }
    }

    private TocExtent[]? ExtentsOf(TarEntry entry)
    {
        if (entry.Sparse is not { } sparse)
            return null;
        _sparseExtentCount += sparse.Length;
        if (_sparseExtentCount > TarLimits.SparseExtentTotalMax)
            throw new InvalidDataException($"more than {TarLimits.SparseExtentTotalMax} pieces of sparse files");

        var extents = new TocExtent[sparse.Length];
        var uncompressedOffset = entry.DataOffset;
        for (var i = 0; i < sparse.Length; i++)
        {
            extents[i] = new TocExtent(sparse[i].FileOffset, uncompressedOffset, sparse[i].Length);
            uncompressedOffset += sparse[i].Length;
        }

        return extents;
    }

    private void SetAttributes(int node, TarEntry entry)
    {
        ref var target = ref _tree[node];
        target.IsNamedLate |= target.IsImplicit;
        target.IsImplicit = false;
        var mode = target.Type == TocEntryType.SymbolicLink ? SymbolicLinkMode : (uint)entry.Mode & ModeMask;
        target.Attributes = _tree.AttributesOf(mode, Owner(entry.Uid), Owner(entry.Gid));
        (target.MtimeSeconds, target.MtimeNanoseconds) = BoundTime(entry.MtimeSeconds, entry.MtimeNanoseconds);
        target.XattrSet = TocXattrPolicy.Apply(_xattrs, target.XattrSet, target.Type, mode, entry.Xattrs);
    }

    private void AddHardLink(int directory, ReadOnlySpan<byte> name, TarEntry entry)
    {
        _tree.Unlink(directory, name); // containerd clears the way first: a link to itself finds nothing
        var target = FindLinkTarget(entry.LinkName);
        if (target == TocTree.None)
            throw new InvalidDataException($"hard link to {TarPath.Display(entry.LinkName)}, which no entry before it has made");
        if (_tree[target].Type == TocEntryType.Directory)
            throw new InvalidDataException($"hard link to the directory {TarPath.Display(entry.LinkName)}");
        SetAttributes(target, entry);
        _tree.Link(directory, name, target);
    }

    private int FindLinkTarget(ReadOnlyMemory<byte> linkName)
    {
        if (linkName.Span.Contains((byte)0))
            throw new InvalidDataException("the hard link's target has a NUL");

        // Unlike an entry's name this path is not cleaned first: ".." is the parent of wherever a symbolic link led.
        var slash = linkName.Span.LastIndexOf((byte)'/');
        _targetComponents.Clear();
        foreach (var range in linkName.Span[..Math.Max(slash, 0)].Split((byte)'/'))
            _targetComponents.Add(linkName[range]);
        PushAll(_targetComponents, _targetComponents.Count);

        var directory = Walk(create: false);
        var name = linkName.Span[(slash + 1)..];
        if (directory == TocTree.None)
            return TocTree.None;
        return name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) ? directory : _tree.Find(directory, name);
    }

    private void AddWhiteout(int directory, ReadOnlySpan<byte> name, TarEntry entry)
    {
        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw new InvalidDataException("not a valid whiteout name");

        if (_tree.Find(directory, name) != TocTree.None)
            throw new InvalidDataException("a whiteout of what its own layer has");

        var node = _tree.AddNode(new TocNode
        {
            Type = TocEntryType.CharacterDevice,
            Attributes = _tree.AttributesOf(0, Owner(entry.Uid), Owner(entry.Gid)),
        });
        (_tree[node].MtimeSeconds, _tree[node].MtimeNanoseconds) = BoundTime(entry.MtimeSeconds, entry.MtimeNanoseconds);
        _tree.Link(directory, name, node);
    }

    private void MarkOpaque(int directory)
    {
        var opaque = new TocXattr(LayerToc.OpaqueXattr.ToArray(), "y"u8.ToArray());
        _tree[directory].XattrSet = _xattrs.With(_tree[directory].XattrSet, opaque);
    }

    private void PushAll(List<ReadOnlyMemory<byte>> components, int count)
    {
        for (var i = count - 1; i >= 0; i--)
            _walk.Push(components[i]);
    }

    /// <summary>Walks the pushed components from the root, following symbolic links and never leaving the root.</summary>
    /// <param name="create">Make the directories that are missing; otherwise None is returned.</param>
    /// <param name="toAnything">The last component need not lead to a directory.</param>
    private int Walk(bool create, bool toAnything = false)
    {
        var current = TocTree.Root;
        var linksFollowed = 0;
        while (_walk.TryPop(out var component))
        {
            var name = component.Span;
            if (name.IsEmpty || name.SequenceEqual("."u8))
                continue;
            if (name.SequenceEqual(".."u8))
            {
                current = _tree[current].Parent;
                continue;
            }

            var next = _tree.Find(current, name);
            if (next == TocTree.None)
            {
                if (!create)
                {
                    _walk.Clear();
                    return TocTree.None;
                }

                _implicitCount++;
                next = _tree.AddNode(
                    new TocNode { Type = TocEntryType.Directory, IsImplicit = true, Attributes = ImplicitAttributes(current) });
                _tree[next].XattrSet = TocXattrPolicy.OfNew(_xattrs, _tree[current].XattrSet, TocEntryType.Directory, ImplicitMode);
                _tree.Link(current, name, next);
            }

            if (_tree[next].Type == TocEntryType.Directory)
            {
                current = next;
            }
            else if (_tree[next].Type == TocEntryType.SymbolicLink)
            {
                if (++linksFollowed > TarLimits.SymlinksFollowedMax)
                    throw Lost($"more than {TarLimits.SymlinksFollowedMax} symbolic links to follow");
                current = Follow(_tree.TargetOf(next).ToArray(), current);
            }
            else if (toAnything && _walk.Count == 0)
            {
                return next;
            }
            else
            {
                throw Lost($"{TarPath.Display(name)} on the way is not a directory");
            }
        }

        return current;
    }

    /// <summary>Pushes a symbolic link's target; returns the directory it is to be walked from.</summary>
    private int Follow(ReadOnlyMemory<byte> target, int directory)
    {
        var climbs = TarPath.Clean(target, _targetComponents);
        PushAll(_targetComponents, _targetComponents.Count);
        if (TarPath.IsRooted(target))
            return TocTree.Root;
        for (; climbs > 0 && directory != TocTree.Root; climbs--)
            directory = _tree[directory].Parent;
        return directory;
    }

    private InvalidDataException Lost(string what)
    {
        _walk.Clear();
        return new InvalidDataException(what);
    }

    // lchown(2) leaves an owner of -1 as it is, and what containerd has just made belongs to root.
    private static uint Owner(long id) => id switch
    {
        < 0 or > uint.MaxValue => throw new InvalidDataException($"owner {id} is out of range"),
        uint.MaxValue => 0,
        _ => (uint)id,
    };
}
