using System.Runtime.InteropServices;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Scheduling;

// Who goes next at a host.
// 1. Places. Foreground (demanded reads, metadata) may use all of them. Background work (predicted reads, background)
//    leaves a quarter of them, at least one, free. Where background work holds all of a limit that was cut, foreground
//    goes beyond the limit by that reserve: who waits never waits for who does not.
// 2. Class. Of those that may go, the most urgent class goes. Inside it regclient's rules for sizes decide (SizeRules).
// 3. Age. Each time somebody goes before the one that waits longest, that is counted; at every eighth time the one that waits
//    longest goes itself, whatever its class and size. So the k-th oldest of those that may go waits for 9k turns at most:
//    nobody starves, and who is urgent gives away an eighth at most.
// Not thread safe; guarded by its queue.
internal sealed class TurnOrder
{
    /// <summary>How often the oldest is passed over before it goes.</summary>
    public const int PassedOverMax = 8;

    private readonly List<TurnLoad> _loads = [];
    private readonly List<TurnLoad> _activeLoads = [];
    private readonly List<int> _candidates = [];
    private int _passedOver;

    /// <summary>Places that background work leaves free.</summary>
    public static int Reserve(int limit) => Math.Max(1, limit / 4);

    /// <param name="waiting">In order of arrival.</param>
    /// <param name="active">Those that hold a place.</param>
    /// <param name="isTime">Whether the host may be asked now.</param>
    /// <returns>An index into <paramref name="waiting"/>; -1 if nobody may go.</returns>
    public int Next(List<Turn> waiting, List<Turn> active, int limit, bool isTime)
    {
        var foreground = 0;
        foreach (var turn in active)
            foreground += turn.IsForeground ? 1 : 0;
        var background = active.Count - foreground;

        var best = ReadUrgency.Background;
        _candidates.Clear();
        var oldest = -1;
        for (var i = 0; i < waiting.Count; i++)
        {
            var turn = waiting[i];
            var urgency = turn.Urgency;
            if (!MayGo(turn.Request, urgency))
                continue;
            if (oldest < 0)
                oldest = i;
            if (urgency < best)
            {
                best = urgency;
                _candidates.Clear();
            }

            if (urgency == best)
                _candidates.Add(i);
        }

        if (oldest < 0)
            return -1;
        var next = _passedOver >= PassedOverMax ? oldest : _candidates[BySize(waiting, active)];
        _passedOver = next == oldest ? 0 : _passedOver + 1;
        return next;

        bool MayGo(TurnRequest request, ReadUrgency urgency)
        {
            if (request.NeedsTime && !isTime)
                return false;
            if (!request.NeedsPlace)
                return true;
            var reserve = Reserve(limit);
            return urgency <= ReadUrgency.Metadata
                ? active.Count < limit || foreground < reserve
                : active.Count < limit && background < Math.Max(1, limit - reserve);
        }
    }

    private int BySize(List<Turn> waiting, List<Turn> active)
    {
        if (_candidates.Count == 1)
            return 0;
        _loads.Clear();
        foreach (var candidate in _candidates)
            _loads.Add(waiting[candidate].Request.Load);
        _activeLoads.Clear();
        foreach (var turn in active)
            _activeLoads.Add(turn.Request.Load);
        return SizeRules.Next(CollectionsMarshal.AsSpan(_loads), CollectionsMarshal.AsSpan(_activeLoads));
    }
}
