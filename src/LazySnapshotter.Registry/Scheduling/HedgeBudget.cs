namespace LazySnapshotter.Registry.Scheduling;

// How many requests to a host may be sent a second time while the first is still unanswered: one in twenty, and one to
// begin with. What is not used is kept up to two, so a host that becomes slow for everybody gets a twentieth more requests
// and no burst.
internal sealed class HedgeBudget
{
    private const int RequestsPerHedge = 20;
    private const int HedgesMax = 2;

    private readonly Lock _gate = new();
    private int _earned = RequestsPerHedge;

    /// <summary>One could be taken now.</summary>
    public bool HasAny
    {
        get
        {
            lock (_gate)
                return _earned >= RequestsPerHedge;
        }
    }

    public void CountRequest()
    {
        lock (_gate)
            _earned = Math.Min(_earned + 1, HedgesMax * RequestsPerHedge);
    }

    public bool TryTake()
    {
        lock (_gate)
        {
            if (_earned < RequestsPerHedge)
                return false;
            _earned -= RequestsPerHedge;
            return true;
        }
    }
}
