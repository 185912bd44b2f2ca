namespace LazySnapshotter.TestSupport.Registry;

// The faults of a registry, in order: the first that fits a request and has not run out befalls it. Those of connections
// befall a connection when it is accepted, before anything is read from it.
public sealed class FaultPlan(int seed)
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private readonly List<ConnectionEntry> _connections = [];
    private readonly Random _random = new(seed);

    public void Add(Fault fault)
    {
        lock (_gate)
            _entries.Add(new Entry(fault));
    }

    public void Add(ConnectionFault fault)
    {
        lock (_gate)
            _connections.Add(new ConnectionEntry(fault));
    }

    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
            _connections.Clear();
        }
    }

    /// <summary>How often each fault befell, in the order they were added.</summary>
    public IReadOnlyList<(Fault Fault, int Befallen)> Befallen
    {
        get
        {
            lock (_gate)
                return [.. _entries.Select(e => (e.Fault, e.Befallen))];
        }
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
                if (entry.Seen++ < fault.After || entry.Befallen >= fault.Times || _random.NextDouble() >= fault.Probability)
                    continue;
                entry.Befallen++;
                return fault;
            }

            return null;
        }
    }

    internal ConnectionTrouble? Take(TestHost host)
    {
        lock (_gate)
        {
            foreach (var entry in _connections)
            {
                if (entry.Fault.Host != host || entry.Befallen >= entry.Fault.Times || _random.NextDouble() >= entry.Fault.Probability)
                    continue;
                entry.Befallen++;
                return entry.Fault.Trouble;
            }

            return null;
        }
    }

    private sealed class Entry(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int Seen { get; set; }

        public int Befallen { get; set; }
    }

    private sealed class ConnectionEntry(ConnectionFault fault)
    {
        public ConnectionFault Fault { get; } = fault;

        public int Befallen { get; set; }
    }
}
