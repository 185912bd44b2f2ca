namespace LazySnapshotter.Layers.Toc;

// Turns the tree under construction into columns: numbers what can be reached, directory by directory from the root,
// and gives directories no header named the newest time below them. First the order, then arrays of the right length.
internal sealed class TocFreezer
{
    private readonly TocTree _tree;
    private readonly int[] _nodeOf;     // the node of an entry
    private readonly int[] _entryOf;    // the entry of a node
    private readonly int[] _nameOf;     // the tree's name of a name
    private int _entryCount = 1;
    private int _nameCount;
    private int _nameBytes;

    private TocFreezer(TocTree tree)
    {
        _tree = tree;
        _nodeOf = new int[tree.NodeCount];
        _entryOf = new int[tree.NodeCount];
        _nameOf = new int[tree.NameCount];
        Array.Fill(_entryOf, TocTree.None);
        _entryOf[TocTree.Root] = 0;
        _nodeOf[0] = TocTree.Root;
    }

    public static TocColumns Freeze(TocTree tree, TocXattrSets xattrSets)
    {
        var freezer = new TocFreezer(tree);
        freezer.Number();
        var columns = freezer.Fill(xattrSets);
        InheritTimes(columns);
        return columns;
    }

    private void Number()
    {
        var sorted = new List<int>();
        for (var entry = 0; entry < _entryCount; entry++)
        {
            ref var directory = ref _tree[_nodeOf[entry]];
            if (directory.Type != TocEntryType.Directory)
                continue;

            _tree.SortedNames(_nodeOf[entry], sorted);
            directory.Size = sorted.Count; // its names have been gone through: from now on, how many
            foreach (var name in sorted)
            {
                var node = _tree.NodeOf(name);
                if (_entryOf[node] == TocTree.None)
                {
                    _entryOf[node] = _entryCount;
                    _nodeOf[_entryCount++] = node;
                }

                _nameOf[_nameCount++] = name;
                _nameBytes += _tree.TextOf(name).Length;
            }
        }
    }

    private TocColumns Fill(TocXattrSets xattrSets)
    {
        var types = new byte[_entryCount];
        var attributeIndexes = new int[_entryCount];
        var mtimeSeconds = new long[_entryCount];
        var mtimeNanoseconds = new uint[_entryCount];
        var sizes = new long[_entryCount];
        var positions = new long[_entryCount];
        var attributes = new Dictionary<TocAttributes, int>();
        var sparse = new List<TocExtent[]>();
        var xattrs = new Dictionary<int, TocXattr[]>();
        using var linkTargets = new MemoryStream();
        var firstName = 0;

        for (var entry = 0; entry < _entryCount; entry++)
        {
            ref var node = ref _tree[_nodeOf[entry]];
            var flag = node.IsImplicit ? TocColumns.ImplicitFlag : node.IsNamedLate ? TocColumns.NamedLateFlag : 0;
            types[entry] = (byte)((int)node.Type | flag);
            mtimeSeconds[entry] = node.MtimeSeconds;
            mtimeNanoseconds[entry] = node.MtimeNanoseconds;
            var own = _tree.Attributes(node.Attributes);
            if (!attributes.TryGetValue(own, out attributeIndexes[entry]))
                attributes.Add(own, attributeIndexes[entry] = attributes.Count);
            if (node.XattrSet != TocTree.None)
                xattrs.Add(entry, xattrSets[node.XattrSet]);

            sizes[entry] = node.Size;
            switch (node.Type)
            {
                case TocEntryType.Directory:
                    positions[entry] = firstName;
                    firstName += (int)node.Size;
                    break;
                case TocEntryType.SymbolicLink:
                    positions[entry] = linkTargets.Length;
                    linkTargets.Write(_tree.TargetOf(_nodeOf[entry]));
                    break;
                case TocEntryType.File when node.Position < 0:
                    positions[entry] = ~sparse.Count;
                    sparse.Add(_tree.SparseOf(node.Position));
                    break;
                case TocEntryType.File:
                    positions[entry] = node.Size > 0 ? node.Position : 0;
                    break;
            }
        }

        _tree.ReleaseNodes();
        BuildMemory.Release(_entryCount); // to make room for the names
        var names = FillNames();
        return new TocColumns
        {
            Types = types,
            AttributeIndexes = attributeIndexes,
            Attributes = [.. attributes.Keys],
            MtimeSeconds = mtimeSeconds,
            MtimeNanoseconds = mtimeNanoseconds,
            Sizes = sizes,
            Positions = positions,
            SparseExtents = [.. sparse],
            LinkTargets = linkTargets.ToArray(),
            Names = names.Texts,
            NameOffsets = names.Offsets,
            NameEntries = names.Entries,
            Xattrs = xattrs,
        };
    }

    private TocNamesReader.Result FillNames()
    {
        var texts = new byte[_nameBytes];
        var offsets = new int[_nameCount + 1];
        var entries = new int[_nameCount];
        for (var name = 0; name < _nameCount; name++)
        {
            var text = _tree.TextOf(_nameOf[name]);
            text.CopyTo(texts.AsSpan(offsets[name]));
            offsets[name + 1] = offsets[name] + text.Length;
            entries[name] = _entryOf[_tree.NodeOf(_nameOf[name])];
        }

        return new TocNamesReader.Result(texts, offsets, entries);
    }

    /// <summary>The root and implicit directories: a child directory has a higher number than its parent, so go backwards.</summary>
    private static void InheritTimes(TocColumns columns)
    {
        for (var entry = columns.Types.Length - 1; entry >= 0; entry--)
        {
            var inherits = entry == 0 || (columns.Types[entry] & TocColumns.ImplicitFlag) != 0;
            if (!inherits)
                continue;

            var newest = (Seconds: 0L, Nanoseconds: 0u);
            for (var i = 0; i < columns.ChildCount(entry); i++)
            {
                var child = columns.NameEntries[columns.FirstName(entry) + i];
                var time = (columns.MtimeSeconds[child], columns.MtimeNanoseconds[child]);
                if (time.CompareTo(newest) > 0)
                    newest = time;
            }

            (columns.MtimeSeconds[entry], columns.MtimeNanoseconds[entry]) = newest;
        }
    }
}
