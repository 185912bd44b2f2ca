namespace LazySnapshotter.TestSupport.Registry;

// The faults of a registry, in order: the first that fits a request and has not run out befalls it.
public sealed class FaultPlan(int seed)
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private readonly Random _random = new(seed);

    public void Add(Fault fault)
    {
        lock (_gate)
            _entries.Add(new Entry(fault));
    }

    public void Clear()
    {
        lock (_gate)
            _entries.Clear();
    }

    internal Fault? Take(TestRequest request)
    {
        lock (_gate)
        {
            foreach (var entry in _entries)
            {
                var fault = entry.Fault;
                if ((fault.Kind is not null && fault.Kind != request.Kind) || fault.When?.Invoke(request) == false)
                    continue;
                var seen = entry.Seen++;
                if (seen < fault.After || seen - fault.After >= fault.Times || _random.NextDouble() >= fault.Probability)
                    continue;
                return fault;
            }

            return null;
        }
    }

    private sealed class Entry(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int Seen { get; set; }
    }
}
