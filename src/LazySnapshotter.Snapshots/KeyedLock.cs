namespace LazySnapshotter.Snapshots;

// One lock per name, for as long as somebody holds it or waits for it.
internal sealed class KeyedLock
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <returns>Dispose it to let the next one in.</returns>
    public async Task<IDisposable> EnterAsync(string key, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new Entry(this, key));
            entry.Users++;
        }

        try
        {
            await entry.Semaphore.WaitAsync(cancellationToken);
            return entry;
        }
        catch
        {
            Leave(entry);
            throw;
        }
    }

    private void Leave(Entry entry)
    {
        lock (_gate)
        {
            if (--entry.Users > 0)
                return;
            _entries.Remove(entry.Key);
        }

        entry.Semaphore.Dispose();
    }

    private sealed class Entry(KeyedLock owner, string key) : IDisposable
    {
        public string Key => key;

        public int Users { get; set; }

        public SemaphoreSlim Semaphore { get; } = new(1);

        public void Dispose()
        {
            Semaphore.Release();
            owner.Leave(this);
        }
    }
}
