using System.Runtime.InteropServices;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// A directory tree under construction: inodes, and names that point at them, so that a name can be given to another
// inode (last entry wins) or to one that has a name already (hard links). Inodes and names are never taken out; what
// no name leads to from the root is left out in the end. One hash table serves all directories. An inode takes 40
// bytes and a name 24 and its text, and nothing is ever copied to grow.
internal sealed class TocTree
{
    public const int Root = 0;
    public const int None = -1;

    /// <summary>At most, in the mean: the table is grown then.</summary>
    private const int NamesPerBucket = 2;

    private struct Name
    {
        public int Directory;
        public int Text; // in the pool: one byte for the length, then the bytes
        public int Node;
        public int NextInDirectory;
        public int NextInBucket;
    }

    private readonly ChunkedList<TocNode> _nodes = new();
    private readonly ChunkedList<Name> _names = new();
    private readonly TextPool _texts = new();
    private readonly List<TocAttributes> _attributes = [];
    private readonly Dictionary<TocAttributes, int> _attributeNumbers = [];
    private readonly List<TocExtent[]> _sparse = [];
    private int[] _buckets = NewBuckets(1024);

    public TocTree() => AddNode(new TocNode { Type = TocEntryType.Directory, Attributes = AttributesOf(0x1ED, 0, 0) }); // 0755

    public int NodeCount => _nodes.Count;

    public int NameCount => _names.Count;

    /// <summary>Whether a name that led to a directory or a symbolic link no longer does: paths may lead elsewhere than they did.</summary>
    public bool HasTakenPaths { get; private set; }

    public ref TocNode this[int node] => ref _nodes[node];

    public int AddNode(TocNode node)
    {
        if (_nodes.Count > TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} entries");
        if (node.Type == TocEntryType.Directory)
            node.FirstName = None;
        node.XattrSet = None;
        return _nodes.Add(node);
    }

    /// <summary>The number of a mode and owner, for <see cref="TocNode.Attributes"/>.</summary>
    public int AttributesOf(uint mode, uint uid, uint gid)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(
            _attributeNumbers, new TocAttributes((ushort)mode, uid, gid), out var isKnown);
        if (!isKnown)
        {
            number = _attributes.Count;
            _attributes.Add(new TocAttributes((ushort)mode, uid, gid));
        }

        return number;
    }

    public TocAttributes Attributes(int number) => _attributes[number];

    /// <summary>Keeps a symbolic link's target, for <see cref="TocNode.Position"/>.</summary>
    public int AddTarget(ReadOnlySpan<byte> target) => _texts.Add(target);

    public ReadOnlySpan<byte> TargetOf(int link) => _texts.Get((int)_nodes[link].Position, (int)_nodes[link].Size);

    /// <summary>Keeps the pieces of a sparse file, for <see cref="TocNode.Position"/>.</summary>
    public long AddSparse(TocExtent[] extents)
    {
        _sparse.Add(extents);
        return ~(long)(_sparse.Count - 1);
    }

    public TocExtent[] SparseOf(long position) => _sparse[(int)~position];

    /// <summary>The node a name leads to, None if there is no such name (any more).</summary>
    public int Find(int directory, ReadOnlySpan<byte> text)
    {
        var name = FindName(directory, text);
        return name == None ? None : _names[name].Node;
    }

    /// <summary>Lets a name lead to a node; a directory is at home there from now on.</summary>
    public void Link(int directory, ReadOnlySpan<byte> text, int node)
    {
        var name = FindName(directory, text);
        if (name == None)
            name = AddName(directory, text);
        Lead(name, node);

        ref var linked = ref this[node];
        if (linked.Type == TocEntryType.Directory)
        {
            linked.Parent = directory;
            linked.PathLength = (ushort)(this[directory].PathLength + 1 + text.Length);
        }
    }

    public void Unlink(int directory, ReadOnlySpan<byte> text)
    {
        var name = FindName(directory, text);
        if (name != None)
            Lead(name, None);
    }

    /// <summary>All names of a directory that lead somewhere, in byte order.</summary>
    public void SortedNames(int directory, List<int> names)
    {
        names.Clear();
        for (var name = this[directory].FirstName; name != None; name = _names[name].NextInDirectory)
        {
            if (_names[name].Node != None)
                names.Add(name);
        }

        names.Sort((left, right) => TextOf(left).SequenceCompareTo(TextOf(right)));
    }

    /// <summary>Nothing will be looked up or linked any more: the hash table goes.</summary>
    public void Seal() => _buckets = [];

    /// <summary>Only names and their texts will be asked for: the nodes go.</summary>
    public void ReleaseNodes() => _nodes.Clear();

    public int NodeOf(int name) => _names[name].Node;

    public ReadOnlySpan<byte> TextOf(int name) => TextAt(_names[name].Text);

    private ReadOnlySpan<byte> TextAt(int position) => _texts.Get(position + 1, _texts.Get(position, 1)[0]);

    private int FindName(int directory, ReadOnlySpan<byte> text)
    {
        for (var name = _buckets[BucketOf(directory, text)]; name != None;)
        {
            ref var candidate = ref _names[name];
            if (candidate.Directory == directory && text.SequenceEqual(TextAt(candidate.Text)))
                return name;
            name = candidate.NextInBucket;
        }

        return None;
    }

    private void Lead(int name, int node)
    {
        ref var led = ref _names[name].Node;
        HasTakenPaths |= led != None && led != node && this[led].Type is (TocEntryType.Directory or TocEntryType.SymbolicLink);
        led = node;
    }

    private int AddName(int directory, ReadOnlySpan<byte> text)
    {
        if (text.Length > TarLimits.NameLengthMax)
            throw new InvalidDataException($"name of {text.Length} bytes, more than {TarLimits.NameLengthMax}");
        if (this[directory].PathLength + 1 + text.Length > TarLimits.PathLengthMax)
            throw new InvalidDataException($"path longer than {TarLimits.PathLengthMax} bytes");
        if (_names.Count >= TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} names");

        if (_names.Count == _buckets.Length * NamesPerBucket)
            Grow();
        Span<byte> prefixed = stackalloc byte[1 + text.Length];
        prefixed[0] = (byte)text.Length;
        text.CopyTo(prefixed[1..]);

        ref var bucket = ref _buckets[BucketOf(directory, text)];
        ref var home = ref this[directory];
        var name = _names.Add(new Name
        {
            Directory = directory,
            Text = _texts.Add(prefixed),
            Node = None,
            NextInDirectory = home.FirstName,
            NextInBucket = bucket,
        });
        home.FirstName = name;
        bucket = name;
        return name;
    }

    private void Grow()
    {
        _buckets = NewBuckets(_buckets.Length * 2);
        for (var name = 0; name < _names.Count; name++)
        {
            ref var moved = ref _names[name];
            ref var bucket = ref _buckets[BucketOf(moved.Directory, TextAt(moved.Text))];
            moved.NextInBucket = bucket;
            bucket = name;
        }
    }

    private int BucketOf(int directory, ReadOnlySpan<byte> text)
    {
        var hash = new HashCode(); // seeded per process: nobody can prepare names that all fall into one bucket
        hash.Add(directory);
        hash.AddBytes(text);
        return hash.ToHashCode() & (_buckets.Length - 1);
    }

    private static int[] NewBuckets(int count)
    {
        var buckets = new int[count];
        Array.Fill(buckets, None);
        return buckets;
    }
}
