using System.Runtime.InteropServices;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// A directory tree under construction: inodes, and names that point at them, so that a name can be given to another
// inode (last entry wins) or to one that has a name already (hard links). Inodes and names are never taken out; what
// no name leads to from the root is left out in the end. One hash table serves all directories.
internal sealed class TocTree
{
    public const int Root = 0;
    public const int None = -1;

    private struct Name
    {
        public int Directory;
        public int TextOffset;
        public int TextLength;
        public int Node;
        public int NextInDirectory;
        public int NextInBucket;
    }

    private readonly List<TocNode> _nodes = [];
    private readonly List<Name> _names = [];
    private byte[] _texts = new byte[4096];
    private int _textsLength;
    private int[] _buckets = NewBuckets(1024);

    public TocTree() => AddNode(new TocNode { Type = TocEntryType.Directory, Mode = 0x1ED }); // 0755

    public int NodeCount => _nodes.Count;

    public ref TocNode this[int node] => ref CollectionsMarshal.AsSpan(_nodes)[node];

    public int AddNode(TocNode node)
    {
        if (_nodes.Count > TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} entries");
        node.FirstName = None;
        node.XattrSet = None;
        _nodes.Add(node);
        return _nodes.Count - 1;
    }

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
        CollectionsMarshal.AsSpan(_names)[name].Node = node;

        ref var linked = ref this[node];
        if (linked.Type == TocEntryType.Directory)
        {
            linked.Parent = directory;
            linked.PathLength = this[directory].PathLength + 1 + text.Length;
        }
    }

    public void Unlink(int directory, ReadOnlySpan<byte> text)
    {
        var name = FindName(directory, text);
        if (name != None)
            CollectionsMarshal.AsSpan(_names)[name].Node = None;
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

    public int NodeOf(int name) => _names[name].Node;

    public ReadOnlySpan<byte> TextOf(int name)
    {
        ref var found = ref CollectionsMarshal.AsSpan(_names)[name];
        return _texts.AsSpan(found.TextOffset, found.TextLength);
    }

    private int FindName(int directory, ReadOnlySpan<byte> text)
    {
        var names = CollectionsMarshal.AsSpan(_names);
        for (var name = _buckets[BucketOf(directory, text)]; name != None; name = names[name].NextInBucket)
        {
            ref var candidate = ref names[name];
            if (candidate.Directory == directory && text.SequenceEqual(_texts.AsSpan(candidate.TextOffset, candidate.TextLength)))
                return name;
        }

        return None;
    }

    private int AddName(int directory, ReadOnlySpan<byte> text)
    {
        if (text.Length > TarLimits.NameLengthMax)
            throw new InvalidDataException($"name of {text.Length} bytes, more than {TarLimits.NameLengthMax}");
        if (this[directory].PathLength + 1 + text.Length > TarLimits.PathLengthMax)
            throw new InvalidDataException($"path longer than {TarLimits.PathLengthMax} bytes");
        if (_names.Count >= TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} names");
        if (_textsLength + text.Length > TarLimits.NameBytesMax)
            throw new InvalidDataException($"names longer than {TarLimits.NameBytesMax} bytes together");

        if (_names.Count == _buckets.Length)
            Grow();
        if (_textsLength + text.Length > _texts.Length)
            Array.Resize(ref _texts, (int)Math.Min((long)_texts.Length * 2, TarLimits.NameBytesMax));
        text.CopyTo(_texts.AsSpan(_textsLength));

        ref var bucket = ref _buckets[BucketOf(directory, text)];
        ref var home = ref this[directory];
        var name = _names.Count;
        _names.Add(new Name
        {
            Directory = directory,
            TextOffset = _textsLength,
            TextLength = text.Length,
            Node = None,
            NextInDirectory = home.FirstName,
            NextInBucket = bucket,
        });
        home.FirstName = name;
        bucket = name;
        _textsLength += text.Length;
        return name;
    }

    private void Grow()
    {
        _buckets = NewBuckets(_buckets.Length * 2);
        var names = CollectionsMarshal.AsSpan(_names);
        for (var name = 0; name < names.Length; name++)
        {
            ref var bucket = ref _buckets[BucketOf(names[name].Directory, TextOf(name))];
            names[name].NextInBucket = bucket;
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
