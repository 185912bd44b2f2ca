using System.Diagnostics;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Inspection;

// The requests a client sends, cut into the steps of an inspection.
internal sealed class HopRecorder
{
    private readonly Lock _gate = new();
    private readonly List<RegistryHop> _hops = [];
    private long _started = Stopwatch.GetTimestamp();

    public IReadOnlyList<RegistryHop> Hops
    {
        get
        {
            lock (_gate)
                return [.. _hops];
        }
    }

    public double Milliseconds => Math.Round(Stopwatch.GetElapsedTime(_started).TotalMilliseconds, 1);

    public void Add(RegistryHop hop)
    {
        lock (_gate)
            _hops.Add(hop);
    }

    public void Begin()
    {
        lock (_gate)
            _hops.Clear();
        _started = Stopwatch.GetTimestamp();
    }
}
