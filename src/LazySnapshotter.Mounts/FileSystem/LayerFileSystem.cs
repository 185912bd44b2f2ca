using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Mounts.FileSystem;

// The one filesystem of a node (DESIGN D1): its root holds a directory per slot, named by the slot's number; below
// each lies a layer. Directories are opened when first looked into (from files on this node, never the network), so
// a restarted daemon answers for every slot it has ever given out without loading them all; the thread that took the request
// does not wait for it (IsReady).
internal sealed class LayerFileSystem(Func<long, Task<LayerDirectory?>> open) : IFuseFileSystem
{
    private const uint RootMode = 0x4000 | 0b111_101_101;

    private readonly ConcurrentDictionary<long, Lazy<Task<LayerDirectory?>>> _directories = new();

    // The kernel keeps the root's listing for as long as this stands still.
    private long _changedTicks = DateTime.UtcNow.Ticks;

    public void Add(long slot, LayerDirectory directory)
    {
        _directories[slot] = new Lazy<Task<LayerDirectory?>>(Task.FromResult<LayerDirectory?>(directory));
        NoteChange();
    }

    /// <summary>Makes a slot visible that an earlier process gave out; it is opened when first looked into.</summary>
    public void Register(long slot)
    {
        _directories.TryAdd(slot, Unopened(slot));
        NoteChange();
    }

    public void Remove(long slot)
    {
        _directories.TryRemove(slot, out _);
        NoteChange();
    }

    public Task? WhenReady(NodeId node, ReadOnlySpan<byte> name)
    {
        var slot = node == NodeId.Root ? SlotOf(name) : LayerNode.FromNodeId(node).Slot;
        return slot is { } number && _directories.TryGetValue(number, out var directory) && !directory.Value.IsCompletedSuccessfully
            ? directory.Value
            : null;
    }

    public bool IsImmutable(NodeId directory) => directory != NodeId.Root;

    public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes)
    {
        if (parent != NodeId.Root)
        {
            if (TryGetDirectory(parent, out var directory, out var entry))
                return directory.Lookup(entry, name, out node, out attributes);
            node = default;
            attributes = default;
            return Errno.ENOENT;
        }

        node = default;
        attributes = default;
        if (SlotOf(name) is not { } slot || Find(slot) is not { } layer)
            return Errno.ENOENT;
        node = new LayerNode(slot, 0).ToNodeId();
        return layer.GetAttributes(0, out attributes);
    }

    public Errno GetAttributes(NodeId node, out NodeAttributes attributes)
    {
        if (node == NodeId.Root)
        {
            var changed = TimeSpan.FromTicks(Interlocked.Read(ref _changedTicks) - DateTime.UnixEpoch.Ticks);
            attributes = new NodeAttributes
            {
                Mode = RootMode,
                Size = 0,
                LinkCount = 2,
                ModifiedSeconds = changed.Ticks / TimeSpan.TicksPerSecond,
                ModifiedNanoseconds = (uint)(changed.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick),
            };
            return Errno.None;
        }

        attributes = default;
        return TryGetDirectory(node, out var directory, out var entry) ? directory.GetAttributes(entry, out attributes) : Errno.ENOENT;
    }

    public Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target)
    {
        target = default;
        return TryGetDirectory(node, out var directory, out var entry) ? directory.ReadLink(entry, out target) : Errno.ENOENT;
    }

    public Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink)
    {
        if (directory != NodeId.Root)
            return TryGetDirectory(directory, out var layer, out var entry) ? layer.ReadDirectory(entry, cookie, sink) : Errno.ENOENT;

        // A slot's number is its own cookie: slots come and go between two calls, numbers never change their meaning. Their names
        // alone are listed: whoever lists them all shall not load them all.
        foreach (var slot in _directories.Keys.Where(slot => slot > cookie).Order())
        {
            var name = Encoding.ASCII.GetBytes(slot.ToString(CultureInfo.InvariantCulture));
            if (!sink.TryAddName(name, new LayerNode(slot, 0).ToNodeId(), FileType.S_IFDIR, slot))
                break;
        }

        return Errno.None;
    }

    public ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        TryGetDirectory(file, out var directory, out var entry)
            ? directory.ReadAsync(entry, offset, destination, cancellationToken)
            : throw new IOException($"node {file}: its layer is not known");

    public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
    {
        value = default;
        return TryGetDirectory(node, out var directory, out var entry) ? directory.GetXattr(entry, name, out value) : Errno.ENODATA;
    }

    public Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names)
    {
        names = default;
        return TryGetDirectory(node, out var directory, out var entry) ? directory.ListXattr(entry, out names) : Errno.None;
    }

    public FileSystemTotals GetTotals()
    {
        long bytes = 0, nodes = 0;
        foreach (var lazy in _directories.Values)
        {
            if (lazy is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true, Result: { } directory } })
            {
                bytes += directory.Layer.Index.Spans.UncompressedLength;
                nodes += directory.Layer.Toc.Count;
            }
        }

        return new FileSystemTotals(bytes, nodes);
    }

    private void NoteChange() => Interlocked.Exchange(ref _changedTicks, DateTime.UtcNow.Ticks);

    private bool TryGetDirectory(
        NodeId node, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LayerDirectory? directory, out int entry)
    {
        var layerNode = LayerNode.FromNodeId(node);
        entry = layerNode.Entry;
        directory = layerNode.Slot == 0 ? null : Find(layerNode.Slot);
        return directory is not null;
    }

    private LayerDirectory? Find(long slot) =>
        _directories.TryGetValue(slot, out var lazy) && lazy.Value is { IsCompletedSuccessfully: true, Result: var directory }
            ? directory
            : null;

    private Lazy<Task<LayerDirectory?>> Unopened(long slot)
    {
        Lazy<Task<LayerDirectory?>>? self = null;
        return self = new Lazy<Task<LayerDirectory?>>(() => Task.Run(async () =>
        {
            try
            {
                return await open(slot);
            }
            catch
            {
                // It may be possible to open it after a person mended it (its index was damaged on disk, say): what failed is not kept.
                _directories.TryUpdate(slot, Unopened(slot), self!);
                throw;
            }
        }));
    }

    private static long? SlotOf(ReadOnlySpan<byte> name) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var slot) ? slot : null;
}
