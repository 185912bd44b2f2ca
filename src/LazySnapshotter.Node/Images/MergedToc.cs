using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Node.Images;

// The tables of contents of an image's layers as one tree, without mounting anything. The topmost layer that has a name
// decides; directories merge downwards until one is opaque; a whiteout hides what lies below (OCI image-spec layer.md; the
// TOC already shows whiteouts as overlayfs does: character device 0:0, trusted.overlay.opaque).
public class MergedToc
{
    // As path_resolution(7): the kernel gives up after 40 symbolic links.
    private const int SymbolicLinksMax = 40;

    // An image without layers is an empty directory, as containerd makes it.
    private static readonly TocEntry EmptyRoot = new()
    {
        Type = TocEntryType.Directory,
        Mode = 0x1ED,
        Uid = 0,
        Gid = 0,
        MtimeSeconds = 0,
        MtimeNanoseconds = 0,
        Size = 0,
        LinkCount = 2,
    };

    private readonly LayerToc[] _layers;

    /// <param name="layers">Lowest first.</param>
    public MergedToc(IEnumerable<LayerToc> layers)
    {
        _layers = [.. layers.Reverse()];
        Root = new ImageTreeNode([.. Enumerable.Range(0, _layers.Length).Select(layer => new ImageTreeNode.Part(layer, 0))]);
    }

    public ImageTreeNode Root { get; }

    /// <summary>What describes a place: its topmost layer, or one below where that does not mention the directory.</summary>
    public TocEntry EntryOf(ImageTreeNode node)
    {
        var entry = TopEntry(node);
        return entry.IsImplicit && node.Top.Entry != 0 ? InheritedEntry(node.Top) ?? entry : entry;
    }

    public ReadOnlyMemory<byte> LinkTarget(ImageTreeNode node) => _layers[node.Top.Layer].LinkTarget(node.Top.Entry);

    /// <summary>The entry that describes the node, and the number of its layer, counted from the lowest.</summary>
    public (int Layer, int Entry) Locate(ImageTreeNode node) => (_layers.Length - 1 - node.Top.Layer, node.Top.Entry);

    /// <summary>Children in the order of their names' bytes, whiteouts left out.</summary>
    public IEnumerable<(byte[] Name, ImageTreeNode Node)> Children(ImageTreeNode directory)
    {
        var names = new SortedSet<byte[]>(ByteOrder.Instance);
        foreach (var part in directory.Parts)
        {
            var toc = _layers[part.Layer];
            for (var position = 0; position < toc.ChildCount(part.Entry); position++)
                names.Add(toc.ChildName(part.Entry, position).ToArray());
        }

        foreach (var name in names)
        {
            if (Find(directory, name) is { } child)
                yield return (name, child);
        }
    }

    public ImageTreeNode? Find(ImageTreeNode directory, ReadOnlySpan<byte> name)
    {
        var parts = new List<ImageTreeNode.Part>();
        foreach (var part in directory.Parts)
        {
            var toc = _layers[part.Layer];
            if (!toc.TryFind(part.Entry, name, out var entry))
                continue;

            var found = toc[entry];
            if (found.Type != TocEntryType.Directory)
            {
                // The topmost decides; below a directory, anything else ends the merge.
                if (parts.Count == 0 && !IsWhiteout(found))
                    parts.Add(new ImageTreeNode.Part(part.Layer, entry));
                break;
            }

            parts.Add(new ImageTreeNode.Part(part.Layer, entry));
            if (toc.IsOpaque(entry))
                break;
        }

        return parts.Count == 0 ? null : new ImageTreeNode([.. parts]);
    }

    /// <summary>Walks a path from the root, through symbolic links as a process inside the container would.</summary>
    /// <param name="followLast">Whether a symbolic link at the end of the path is followed.</param>
    /// <returns>Null when there is no such path.</returns>
    /// <exception cref="InvalidDataException">More symbolic links than a kernel would follow.</exception>
    public ImageTreeNode? Resolve(ReadOnlySpan<byte> path, bool followLast = true)
    {
        var pending = new Stack<byte[]>();
        PushComponents(pending, path);
        var walked = new Stack<ImageTreeNode>();
        walked.Push(Root);
        var links = 0;
        while (pending.TryPop(out var name))
        {
            if (name.AsSpan().SequenceEqual("."u8))
                continue;
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                if (walked.Count > 1)
                    walked.Pop();
                continue;
            }

            if (TopEntry(walked.Peek()).Type != TocEntryType.Directory || Find(walked.Peek(), name) is not { } child)
                return null;
            if (TopEntry(child).Type != TocEntryType.SymbolicLink || (pending.Count == 0 && !followLast))
            {
                walked.Push(child);
                continue;
            }

            if (++links > SymbolicLinksMax)
                throw new InvalidDataException($"more than {SymbolicLinksMax} symbolic links in a path of the image");
            var target = LinkTarget(child).Span;
            if (target.StartsWith("/"u8))
            {
                walked.Clear();
                walked.Push(Root);
            }

            PushComponents(pending, target);
        }

        return walked.Peek();
    }

    // As containerd's unpacking: the nearest layer below that has the path, hidden by a layer between or not; symbolic links
    // lead where they lead inside that layer; nothing is inherited through what is no directory.
    private TocEntry? InheritedEntry(ImageTreeNode.Part directory)
    {
        var path = _layers[directory.Layer].PathOf(directory.Entry);
        foreach (var toc in _layers.Skip(directory.Layer + 1))
        {
            var alone = new MergedToc([toc]);
            if (alone.Resolve(path) is { } found && alone.TopEntry(found) is { IsImplicit: false } described)
                return described.Type == TocEntryType.Directory ? described : null;
            if (HasOtherThanDirectory(toc, path))
                return null;
        }

        return null;
    }

    /// <summary>Whether something on the way, or at its end, is neither a directory nor a link to one: a whiteout mostly.</summary>
    private static bool HasOtherThanDirectory(LayerToc toc, ReadOnlySpan<byte> path)
    {
        var entry = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            if (!toc.TryFind(entry, path[range], out entry))
                return false;
            if (toc[entry].Type != TocEntryType.Directory)
                return toc[entry].Type != TocEntryType.SymbolicLink;
        }

        return false;
    }

    private TocEntry TopEntry(ImageTreeNode node) => node.Parts.Count == 0 ? EmptyRoot : _layers[node.Top.Layer][node.Top.Entry];

    private static bool IsWhiteout(in TocEntry entry) => entry is { Type: TocEntryType.CharacterDevice, DeviceMajor: 0, DeviceMinor: 0 };

    private static void PushComponents(Stack<byte[]> pending, ReadOnlySpan<byte> path)
    {
        var components = new List<byte[]>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty)
                components.Add(path[range].ToArray());
        }

        for (var i = components.Count - 1; i >= 0; i--)
            pending.Push(components[i]);
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
