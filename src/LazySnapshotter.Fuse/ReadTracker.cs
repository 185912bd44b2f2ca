using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse;

// All reads between request and reply: for INTERRUPT, for the end of the session, and for whoever watches over the
// daemon. Any thread; _gate is held for a dictionary operation at a time.
internal sealed class ReadTracker
{
    // As many as the kernel's read-ahead may have open; more go to the garbage collector.
    private const int SparesMax = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, PendingRead> _reads = [];
    private readonly Stack<PendingRead> _spares = new(SparesMax);

    public int Count
    {
        get
        {
            lock (_gate)
                return _reads.Count;
        }
    }

    /// <summary>How long the oldest read has been waiting; zero when there is none.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            var oldest = TimeSpan.Zero;
            lock (_gate)
            {
                foreach (var read in _reads.Values)
                {
                    if (read.Age > oldest)
                        oldest = read.Age;
                }
            }

            return oldest;
        }
    }

    public PendingRead Begin(in FuseInHeader header, long offset, int length)
    {
        lock (_gate)
        {
            var read = _spares.TryPop(out var spare) ? spare : new PendingRead();
            read.Begin(header, offset, length);
            _reads[KeyOf(header.Unique)] = read;
            return read;
        }
    }

    /// <summary>The filesystem is done with the read and its buffer, whether or not it was answered before.</summary>
    public void End(PendingRead read)
    {
        lock (_gate)
        {
            _reads.Remove(KeyOf(read.Unique));
            read.End();
            if (read.IsInterrupted)
                return;

            if (_spares.Count < SparesMax)
                _spares.Push(read);
            else
                read.Dispose();
        }
    }

    /// <summary>Finds a read to interrupt. From here on the caller may keep the object; it is not used again.</summary>
    public PendingRead? TryInterrupt(ulong unique)
    {
        lock (_gate)
        {
            if (!_reads.TryGetValue(KeyOf(unique), out var read))
                return null;

            read.IsInterrupted = true;
            return read;
        }
    }

    /// <summary>The same for all of them.</summary>
    public IReadOnlyList<PendingRead> InterruptAll()
    {
        lock (_gate)
        {
            foreach (var read in _reads.Values)
                read.IsInterrupted = true;
            return [.. _reads.Values];
        }
    }

    // An INTERRUPT may name a request by the number it had before it was sent again.
    private static ulong KeyOf(ulong unique) => unique & ~FuseInHeader.FUSE_UNIQUE_RESEND;
}
