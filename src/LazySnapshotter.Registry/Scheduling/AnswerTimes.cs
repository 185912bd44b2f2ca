namespace LazySnapshotter.Registry.Scheduling;

// How long a host took for the heads of its last answers to ranged requests: what "slower than its peers" is measured by.
// The newest 64 are kept; what they say is worked out anew after every eighth.
internal sealed class AnswerTimes
{
    /// <summary>Fewer than these say nothing.</summary>
    public const int CountMin = 16;

    private const int CountMax = 64;
    private const int CountPerLook = 8;
    private const double Percentile = 0.95;

    private readonly Lock _gate = new();
    private readonly long[] _ticks = new long[CountMax];
    private long _count;
    private TimeSpan? _percentile95;

    /// <summary>All but one in twenty are quicker. Null while too few are known.</summary>
    public TimeSpan? Percentile95
    {
        get
        {
            lock (_gate)
                return _percentile95;
        }
    }

    public void Add(TimeSpan time)
    {
        lock (_gate)
        {
            _ticks[_count++ % CountMax] = time.Ticks;
            if (_count >= CountMin && _count % CountPerLook == 0)
                _percentile95 = Look((int)Math.Min(_count, CountMax));
        }
    }

    private TimeSpan Look(int count)
    {
        Span<long> sorted = stackalloc long[CountMax];
        sorted = sorted[..count];
        _ticks.AsSpan(0, count).CopyTo(sorted);
        sorted.Sort();
        return TimeSpan.FromTicks(sorted[(int)Math.Ceiling(Percentile * count) - 1]);
    }
}
