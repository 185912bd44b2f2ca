using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// Packs the reply to one READDIR or READDIRPLUS: children as fuse_dirent or fuse_direntplus, each padded to 8 bytes. Owned by a
// reader thread and used again for every request.
//
// Positions, as telldir(3) shows them: 0 is before ".", 1 before "..", and 2 + n is the filesystem's cookie n, so
// that listing goes on exactly where a buffer was full.
internal sealed class DirectoryWriter(IFuseFileSystem fileSystem) : IDirectorySink
{
    public const long BeforeParent = 1;
    public const long BeforeChildren = 2;

    private byte[] _buffer = [];
    private int _capacity;
    private int _length;
    private bool _withAttributes;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>A child was offered and did not fit.</summary>
    public bool IsFull { get; private set; }

    public void Begin(int capacity, bool withAttributes)
    {
        if (_buffer.Length < capacity)
            _buffer = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        _capacity = capacity;
        _length = 0;
        _withAttributes = withAttributes;
        IsFull = false;
    }

    public bool TryAdd(ReadOnlySpan<byte> name, NodeId node, in NodeAttributes attributes, long nextCookie)
    {
        Debug.Assert(nextCookie is >= 0 and <= long.MaxValue - BeforeChildren);
        if (name.Length is 0 or > FuseDirectoryEntry.NameLengthMax || name.ContainsAny((byte)'/', (byte)0))
            throw new InvalidDataException($"node {node} has a name of {name.Length} bytes that no directory can hold");

        if (!_withAttributes)
            return TryAddEntry(name, node, attributes.Mode, nextCookie + BeforeChildren);

        if (!HasRoom(Unsafe.SizeOf<FuseEntryOut>() + FuseDirectoryEntry.Length(name.Length)))
            return false;

        Append(FuseReplies.Entry(fileSystem, node, attributes));
        return TryAddEntry(name, node, attributes.Mode, nextCookie + BeforeChildren);
    }

    public bool TryAddName(ReadOnlySpan<byte> name, NodeId node, FileType type, long nextCookie) =>
        TryAddUnlinked(name, node, (uint)type, nextCookie + BeforeChildren);

    /// <summary>"." or "..".</summary>
    public bool TryAddDots(ReadOnlySpan<byte> name, NodeId node, long next) => TryAddUnlinked(name, node, (uint)FileType.S_IFDIR, next);

    // In READDIRPLUS with a node id of 0, which tells the kernel to list the name and make no entry of it (fuse_direntplus_link).
    private bool TryAddUnlinked(ReadOnlySpan<byte> name, NodeId node, uint mode, long next)
    {
        if (!HasRoom((_withAttributes ? Unsafe.SizeOf<FuseEntryOut>() : 0) + FuseDirectoryEntry.Length(name.Length)))
            return false;

        if (_withAttributes)
            Append(default(FuseEntryOut));
        return TryAddEntry(name, node, mode, next);
    }

    private bool TryAddEntry(ReadOnlySpan<byte> name, NodeId node, uint mode, long next)
    {
        var length = FuseDirectoryEntry.Length(name.Length);
        if (!HasRoom(length))
            return false;

        var end = _length + length;
        Append(new FuseDirectoryEntry(node.Value, (ulong)next, (uint)name.Length, FuseDirectoryEntry.TypeOf(mode)));
        name.CopyTo(_buffer.AsSpan(_length));
        _buffer.AsSpan(_length + name.Length, end - _length - name.Length).Clear();
        _length = end;
        return true;
    }

    private bool HasRoom(int length)
    {
        if (length <= _capacity - _length)
            return true;

        IsFull = true;
        return false;
    }

    private void Append<T>(in T value) where T : unmanaged
    {
        MemoryMarshal.Write(_buffer.AsSpan(_length), in value);
        _length += Unsafe.SizeOf<T>();
    }
}
