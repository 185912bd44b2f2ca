using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// Turns the tree under construction into columns: numbers what can be reached, directory by directory from the root,
// and gives directories no header named the newest time below them.
internal static class TocFreezer
{
    public static TocColumns Freeze(TocTree tree, TocXattrSets xattrSets)
    {
        var nodeOf = new List<int> { TocTree.Root };
        var entryOf = new int[tree.NodeCount];
        Array.Fill(entryOf, TocTree.None);
        entryOf[TocTree.Root] = 0;

        var names = new NameColumns();
        var firstNames = new List<int>();
        var childCounts = new List<int>();
        var sorted = new List<int>();
        for (var entry = 0; entry < nodeOf.Count; entry++)
        {
            firstNames.Add(names.Count);
            childCounts.Add(0);
            if (tree[nodeOf[entry]].Type != TocEntryType.Directory)
                continue;

            tree.SortedNames(nodeOf[entry], sorted);
            childCounts[entry] = sorted.Count;
            foreach (var name in sorted)
            {
                var node = tree.NodeOf(name);
                if (entryOf[node] == TocTree.None)
                {
                    entryOf[node] = nodeOf.Count;
                    nodeOf.Add(node);
                }

                names.Add(tree.TextOf(name), entryOf[node]);
            }
        }

        var columns = Fill(tree, xattrSets, nodeOf, firstNames, childCounts, names);
        InheritTimes(columns);
        return columns;
    }

    private static TocColumns Fill(TocTree tree, TocXattrSets xattrSets, List<int> nodeOf, List<int> firstNames, List<int> childCounts, NameColumns names)
    {
        var count = nodeOf.Count;
        var types = new byte[count];
        var modes = new ushort[count];
        var ownerIndexes = new int[count];
        var mtimeSeconds = new long[count];
        var mtimeNanoseconds = new uint[count];
        var sizes = new long[count];
        var positions = new long[count];
        var owners = new Dictionary<(uint, uint), int>();
        var sparse = new List<TocExtent[]>();
        var xattrs = new Dictionary<int, TocXattr[]>();
        using var linkTargets = new MemoryStream();

        for (var entry = 0; entry < count; entry++)
        {
            ref var node = ref tree[nodeOf[entry]];
            types[entry] = (byte)((int)node.Type | (node.IsImplicit ? TocColumns.ImplicitFlag : 0));
            modes[entry] = node.Mode;
            mtimeSeconds[entry] = node.MtimeSeconds;
            mtimeNanoseconds[entry] = node.MtimeNanoseconds;
            if (!owners.TryGetValue((node.Uid, node.Gid), out var owner))
                owners.Add((node.Uid, node.Gid), owner = owners.Count);
            ownerIndexes[entry] = owner;
            if (node.XattrSet != TocTree.None)
                xattrs.Add(entry, xattrSets[node.XattrSet]);

            sizes[entry] = node.Type == TocEntryType.Directory ? childCounts[entry] : node.Size;
            switch (node.Type)
            {
                case TocEntryType.Directory:
                    positions[entry] = firstNames[entry];
                    break;
                case TocEntryType.SymbolicLink:
                    positions[entry] = linkTargets.Length;
                    linkTargets.Write((byte[])node.Content!);
                    if (linkTargets.Length > TarLimits.NameBytesMax)
                        throw new InvalidDataException($"tar: link targets longer than {TarLimits.NameBytesMax} bytes together");
                    break;
                case TocEntryType.File when node.Content is TocExtent[] extents:
                    positions[entry] = ~sparse.Count;
                    sparse.Add(extents);
                    break;
                case TocEntryType.File:
                    positions[entry] = node.Size > 0 ? node.DataOffset : 0;
                    break;
            }
        }

        return new TocColumns
        {
            Types = types,
            Modes = modes,
            OwnerIndexes = ownerIndexes,
            Owners = [.. owners.Keys],
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

    private sealed class NameColumns
    {
        private readonly List<byte> _texts = [];
        private readonly List<int> _offsets = [0];
        private readonly List<int> _entries = [];

        public int Count => _entries.Count;

        public byte[] Texts => [.. _texts];

        public int[] Offsets => [.. _offsets];

        public int[] Entries => [.. _entries];

        public void Add(ReadOnlySpan<byte> text, int entry)
        {
            _texts.AddRange(text);
            _offsets.Add(_texts.Count);
            _entries.Add(entry);
        }
    }
}
