using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Memory;

// What is remembered of one kind. Shared by everything in the process that wants to know, and merged with what other
// processes wrote: per key the newer wins, and what was found wanting here does not come back from there.
internal sealed class MemoryTable<T>(int countMax, TimeProvider clock, Action changed)
    where T : class, IRemembered
{
    // A clock that was set back makes entries of the future; one that is this little off is left in peace.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    private readonly LruCache<string, T> _entries = new(countMax, comparer: StringComparer.Ordinal);
    private readonly LruCache<string, DateTimeOffset> _forgottenAt = new(countMax, comparer: StringComparer.Ordinal);

    public int Count => _entries.Count;

    public T? Recall(string key)
    {
        if (!_entries.TryGet(key, out var entry))
            return null;
        if (IsAlive(entry))
            return entry;
        _entries.Remove(key);
        return null;
    }

    public void Remember(T entry)
    {
        // Whatever could not be read back is not written either.
        if (!entry.IsSound())
            return;
        _entries.Set(entry.Key, entry);
        changed();
    }

    /// <summary>Forgets an entry if it is the one the caller found wanting, and not one that replaced it.</summary>
    public void Forget(string key, Func<T, bool>? wanting = null)
    {
        if (!_entries.TryGet(key, out var entry) || wanting?.Invoke(entry) == false)
            return;
        _entries.Remove(key);
        _forgottenAt.Set(key, entry.LearnedAt > clock.GetUtcNow() ? entry.LearnedAt : clock.GetUtcNow());
        changed();
    }

    /// <summary>No longer kept, but nothing was wrong with it.</summary>
    public void Drop(string key) => _entries.Remove(key);

    /// <summary>Takes over what another process, or this program before its restart, has learned.</summary>
    public void Merge(IReadOnlyList<T?>? others)
    {
        // They lie there most recently used first, and so they come to lie here.
        foreach (var other in (others ?? []).Take(countMax).Reverse())
        {
            if (other is null || !other.IsSound() || !IsAlive(other))
                continue;
            if (_forgottenAt.TryGet(other.Key, out var forgottenAt) && other.LearnedAt <= forgottenAt)
                continue;
            if (_entries.TryGet(other.Key, out var own) ? own.LearnedAt < other.LearnedAt : _entries.Count < countMax)
                _entries.Set(other.Key, other);
        }
    }

    /// <summary>Everything still believed, the most recently used first.</summary>
    public IReadOnlyList<T> Living() => [.. _entries.Values().Where(IsAlive)];

    private bool IsAlive(T entry)
    {
        var now = clock.GetUtcNow();
        return now < entry.ExpiresAt && entry.LearnedAt <= now + ClockTolerance;
    }
}
