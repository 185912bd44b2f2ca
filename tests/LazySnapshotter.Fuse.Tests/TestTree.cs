using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// A tree in memory, built before it is mounted: the reference the mount is compared with, and the filesystem that is
// mounted. Names are bytes, kept as Latin-1 strings where a dictionary needs a key.
internal sealed class TestTree : IFuseFileSystem
{
    private readonly List<TestNode> _nodes = [];
    private readonly Lock _gate = new();
    private readonly List<(NodeId Node, string Name)> _xattrsAsked = [];

    public TestTree(bool immutableRoot = true)
    {
        Root = NewNode(FileType.S_IFDIR, 0x1ED);
        Root.Parent = Root;
        Root.IsImmutable = immutableRoot;
    }

    public TestNode Root { get; }

    public IReadOnlyList<TestNode> Nodes => _nodes;

    /// <summary>Every GETXATTR so far.</summary>
    public IReadOnlyList<(NodeId Node, string Name)> XattrsAsked
    {
        get
        {
            lock (_gate)
                return [.. _xattrsAsked];
        }
    }

    /// <summary>Replaces reading from memory.</summary>
    public Func<TestNode, long, Memory<byte>, CancellationToken, ValueTask<int>>? OnRead { get; set; }

    public TestNode AddDirectory(TestNode parent, string name, uint permissions = 0x1ED)
    {
        var node = Link(parent, name, NewNode(FileType.S_IFDIR, permissions));
        node.Parent = parent;
        return node;
    }

    public TestNode AddFile(TestNode parent, string name, byte[] data, uint permissions = 0x1A4)
    {
        var node = NewNode(FileType.S_IFREG, permissions);
        node.Data = data;
        node.Attributes = node.Attributes with { Size = data.Length };
        return Link(parent, name, node);
    }

    public TestNode AddSymbolicLink(TestNode parent, string name, byte[] target)
    {
        var node = NewNode(FileType.S_IFLNK, 0x1FF);
        node.Data = target;
        node.Attributes = node.Attributes with { Size = target.Length };
        return Link(parent, name, node);
    }

    public TestNode AddSpecial(TestNode parent, string name, FileType type, uint major = 0, uint minor = 0)
    {
        var node = NewNode(type, 0x1B6);
        node.Attributes = node.Attributes with { DeviceMajor = major, DeviceMinor = minor };
        return Link(parent, name, node);
    }

    public TestNode Link(TestNode parent, string name, TestNode node)
    {
        lock (_gate)
        {
            parent.Children.Add((Encoding.Latin1.GetBytes(name), node));
            parent.ByName.Add(name, node);
            if ((node.Attributes.Mode & ModeBits.S_IFMT) != (uint)FileType.S_IFDIR)
                node.Attributes = node.Attributes with { LinkCount = node.Attributes.LinkCount + 1 };
            return node;
        }
    }

    public TestNode? Find(NodeId id) => id.Value is > 0 && id.Value <= (ulong)_nodes.Count ? _nodes[(int)id.Value - 1] : null;

    public bool IsImmutable(NodeId directory) => Find(directory)!.IsImmutable;

    public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes)
    {
        node = default;
        attributes = default;
        if (Find(parent) is not { } directory)
            return Errno.ENOENT;
        if (directory.Fault is { } fault)
            throw fault;

        var found = name.SequenceEqual(".."u8) ? directory.Parent : directory.ByName.GetValueOrDefault(Encoding.Latin1.GetString(name));
        if (found is null)
            return Errno.ENOENT;

        node = found.Id;
        attributes = found.Attributes;
        return Errno.None;
    }

    public Errno GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        attributes = Find(node)?.Attributes ?? default;
        return Find(node) is null ? Errno.ENOENT : Errno.None;
    }

    public Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target)
    {
        target = Find(node)!.Data;
        return Errno.None;
    }

    public Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink)
    {
        var children = Find(directory)!.Children;
        for (var i = (int)cookie; i < children.Count; i++)
        {
            if (!sink.TryAdd(children[i].Name, children[i].Node.Id, children[i].Node.Attributes, i + 1))
                break;
        }

        return Errno.None;
    }

    public ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var node = Find(file)!;
        return OnRead is { } read
            ? read(node, offset, destination, cancellationToken)
            : new ValueTask<int>(Copy(node, offset, destination));
    }

    public static int Copy(TestNode node, long offset, Memory<byte> destination)
    {
        if (offset >= node.Data.Length)
            return 0;
        var count = (int)Math.Min(destination.Length, node.Data.Length - offset);
        node.Data.AsSpan((int)offset, count).CopyTo(destination.Span);
        return count;
    }

    public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
    {
        lock (_gate)
            _xattrsAsked.Add((node, Encoding.Latin1.GetString(name)));
        var found = Find(node)!.Xattrs.TryGetValue(Encoding.Latin1.GetString(name), out var bytes);
        value = bytes;
        return found ? Errno.None : Errno.ENODATA;
    }

    public Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names)
    {
        names = Encoding.Latin1.GetBytes(string.Concat(Find(node)!.Xattrs.Keys.Select(name => name + "\0")));
        return Errno.None;
    }

    public FileSystemTotals GetTotals() => new(_nodes.Sum(node => node.Attributes.Size), _nodes.Count);

    private TestNode NewNode(FileType type, uint permissions)
    {
        lock (_gate)
        {
            var id = new NodeId((ulong)_nodes.Count + 1);
            var node = new TestNode(id)
            {
                Attributes = new NodeAttributes
                {
                    Mode = (uint)type | permissions,
                    Size = 0,
                    LinkCount = type == FileType.S_IFDIR ? 2u : 0u,
                    ModifiedSeconds = 1_600_000_000 + (long)id.Value,
                    ModifiedNanoseconds = (uint)id.Value % 1_000_000_000,
                },
            };
            _nodes.Add(node);
            return node;
        }
    }
}

internal sealed class TestNode(NodeId id)
{
    public NodeId Id { get; } = id;

    public NodeAttributes Attributes { get; set; }

    public TestNode? Parent { get; set; }

    public bool IsImmutable { get; set; } = true;

    /// <summary>Content, or a link's target.</summary>
    public byte[] Data { get; set; } = [];

    public List<(byte[] Name, TestNode Node)> Children { get; } = [];

    public Dictionary<string, TestNode> ByName { get; } = [];

    public Dictionary<string, byte[]> Xattrs { get; } = [];

    public Exception? Fault { get; set; }
}
