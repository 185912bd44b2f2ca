using System.Diagnostics.CodeAnalysis;

namespace LazySnapshotter.Registry.Common;

// What was used most recently, as much of it as two limits allow: a number of entries and the sum of their weights (bytes,
// where a limit in bytes is wanted). Whatever was not used for longest goes first, one by one; nothing is ever cleared as a whole.
internal sealed class LruCache<TKey, TValue>(int countMax, long weightMax = long.MaxValue, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _byKey = new(comparer);
    private readonly LinkedList<Entry> _newestFirst = new();
    private long _weight;

    public int Count
    {
        get
        {
            lock (_gate)
                return _byKey.Count;
        }
    }

    /// <summary>Of all entries together.</summary>
    public long Weight
    {
        get
        {
            lock (_gate)
                return _weight;
        }
    }

    /// <summary>Finding is using.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node))
            {
                Touch(node);
                value = node.Value.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>One value per key for as long as it is kept, whoever asks first. <paramref name="make"/> must be quick.</summary>
    public TValue GetOrAdd(TKey key, Func<TKey, TValue> make)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node))
            {
                Touch(node);
                return node.Value.Value;
            }

            var value = make(key);
            Add(key, value, weight: 1);
            return value;
        }
    }

    /// <summary>A value heavier than the limit is not kept, nor is the one it would have replaced.</summary>
    public void Set(TKey key, TValue value, long weight = 1)
    {
        lock (_gate)
        {
            RemoveLocked(key);
            if (weight <= weightMax)
                Add(key, value, weight);
        }
    }

    public bool Remove(TKey key)
    {
        lock (_gate)
            return RemoveLocked(key);
    }

    /// <summary>Unless there is another value by now than the one the caller found wanting.</summary>
    public void RemoveIf(TKey key, Func<TValue, bool> wanting)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node) && wanting(node.Value.Value))
                RemoveLocked(key);
        }
    }

    public void RemoveWhere(Func<TKey, bool> condition)
    {
        lock (_gate)
        {
            foreach (var key in _byKey.Keys.Where(condition).ToList())
                RemoveLocked(key);
        }
    }

    /// <summary>The most recently used first.</summary>
    public IReadOnlyList<TValue> Values()
    {
        lock (_gate)
            return [.. _newestFirst.Select(entry => entry.Value)];
    }

    private void Add(TKey key, TValue value, long weight)
    {
        _byKey[key] = _newestFirst.AddFirst(new Entry(key, value, weight));
        _weight += weight;
        while (_byKey.Count > countMax || _weight > weightMax)
            RemoveLocked(_newestFirst.Last!.Value.Key);
    }

    private bool RemoveLocked(TKey key)
    {
        if (!_byKey.Remove(key, out var node))
            return false;
        _newestFirst.Remove(node);
        _weight -= node.Value.Weight;
        return true;
    }

    private void Touch(LinkedListNode<Entry> node)
    {
        _newestFirst.Remove(node);
        _newestFirst.AddFirst(node);
    }

    private readonly record struct Entry(TKey Key, TValue Value, long Weight);
}
