using System.Buffers;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Reading;

// Inflated spans of all layers, as many as fit a limit, least recently used go first. An entry is counted from the
// moment its buffer exists and cannot go while somebody copies from it, so memory is at most the limit plus one span per
// reader at work. Each span is inflated by one thread at a time: the one that holds the entry's Gate; others wait there
// (about a millisecond, never for the network). Lock order: an entry's Gate before _gate, which is held for moments.
public sealed class SpanCache
{
    public const long DefaultLimitBytes = 64 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<Key, CachedSpan> _entries = [];
    private readonly LinkedList<CachedSpan> _byUse = []; // most recent first
    private readonly long _limitBytes;
    private long _usedBytes;

    public SpanCache(long limitBytes = DefaultLimitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limitBytes);
        _limitBytes = limitBytes;
    }

    /// <summary>Memory held now.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
                return _usedBytes;
        }
    }

    /// <summary>Forgets a layer that is not read any more.</summary>
    public void Drop(LayerBlob blob)
    {
        lock (_gate)
        {
            foreach (var entry in _entries.Values.Where(entry => entry.Key.Blob == blob && entry.Users == 0).ToArray())
                Evict(entry);
        }
    }

    /// <summary>The span is here, inflated.</summary>
    internal bool Contains(LayerBlob blob, SpanId span)
    {
        lock (_gate)
            return _entries.TryGetValue(new Key(blob, span), out var entry) && entry.IsFilled;
    }

    /// <summary>The span's entry, for use until released; null if there is none.</summary>
    internal CachedSpan? TryAcquire(LayerBlob blob, SpanId span)
    {
        lock (_gate)
            return _entries.TryGetValue(new Key(blob, span), out var entry) ? Use(entry) : null;
    }

    /// <summary>The span's entry, for use until released; a new one is not filled yet.</summary>
    internal CachedSpan Acquire(LayerBlob blob, in LayerSpan span)
    {
        var key = new Key(blob, span.Id);
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var entry))
                return Use(entry);

            // The pool rounds up; what it gives is what is counted. Room is made first, so that its buffers are reused.
            Trim(span.UncompressedLength);
            entry = new CachedSpan(key, ArrayPool<byte>.Shared.Rent((int)span.UncompressedLength), (int)span.UncompressedLength);
            _entries.Add(key, entry);
            _byUse.AddFirst(entry.Node);
            _usedBytes += entry.Buffer.Length;
            entry.Users = 1;
            Trim(0);
            return entry;
        }
    }

    internal void Release(CachedSpan entry)
    {
        lock (_gate)
        {
            entry.Users--;
            if (entry.Users == 0 && !entry.IsFilled)
                Evict(entry);
            Trim(0);
        }
    }

    private CachedSpan Use(CachedSpan entry)
    {
        entry.Users++;
        if (_byUse.First != entry.Node)
        {
            _byUse.Remove(entry.Node);
            _byUse.AddFirst(entry.Node);
        }

        return entry;
    }

    private void Trim(long neededBytes)
    {
        for (var node = _byUse.Last; node is not null && _usedBytes + neededBytes > _limitBytes;)
        {
            var entry = node.Value;
            node = node.Previous;
            if (entry.Users == 0)
                Evict(entry);
        }
    }

    private void Evict(CachedSpan entry)
    {
        _entries.Remove(entry.Key);
        _byUse.Remove(entry.Node);
        _usedBytes -= entry.Buffer.Length;
        ArrayPool<byte>.Shared.Return(entry.Buffer);
    }

    internal readonly record struct Key(LayerBlob Blob, SpanId Span);
}
