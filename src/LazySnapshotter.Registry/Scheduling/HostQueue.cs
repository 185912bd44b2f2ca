using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Scheduling;

// The turns at one host (registry, token service or wherever it redirects to), which is named by its authority. Who may go
// now goes at once; everybody else waits here, and nowhere else, for a place and for the end of a backoff, so that the
// most urgent is first in both. Nobody who holds a place waits for another one (TurnGroup), so no ring of waiters can
// form. When the last one leaves, what is left is what was learned about the host: its limit, backoff and times.
// One lock, held for no call that waits; ReadPriority's lock may be taken inside it.
internal sealed class HostQueue
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ConcurrencyLimit _limit;
    private readonly HostBackoff _backoff;
    private TurnOrder? _order;
    private List<Turn> _waiting = [];
    private List<Turn> _active = [];
    private ITimer? _timer;
    private long _newest;

    public HostQueue(string host, RegistryOptions options, ILogger logger)
    {
        Host = host;
        _clock = options.Clock;
        _logger = logger;
        _limit = new ConcurrencyLimit(options.ConcurrencyStart, options.ConcurrencyMax);
        _backoff = new HostBackoff(options);
        Hedges = new HedgeBudget();
        Answers = new AnswerTimes();
    }

    public string Host { get; }

    /// <summary>How long its answers take.</summary>
    public AnswerTimes Answers { get; }

    public HedgeBudget Hedges { get; }

    /// <summary>Nobody is here, and nothing is remembered that would be missed.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _active.Count == 0 && _waiting.Count == 0 && _backoff.IsIdle(_clock.GetUtcNow());
        }
    }

    /// <summary>It failed, and has not made up for it.</summary>
    public bool IsTroubled
    {
        get
        {
            lock (_gate)
                return _backoff.Failures > 0;
        }
    }

    /// <summary>How long a request sent now would be held back because the host failed.</summary>
    public TimeSpan Backoff
    {
        get
        {
            lock (_gate)
                return _backoff.Wait(_clock.GetUtcNow());
        }
    }

    public HostActivity Activity
    {
        get
        {
            lock (_gate)
            {
                return new HostActivity(
                    Host, _active.Count, _waiting.Count, _limit.Current, _backoff.Failures, _backoff.Wait(_clock.GetUtcNow()));
            }
        }
    }

    /// <summary>Queues. The turn may be held at once; if not, <see cref="WaitAsync"/> waits for it.</summary>
    public Turn Enter(TurnRequest request)
    {
        var turn = new Turn(this, request);
        var seen = turn.Urgency;
        lock (_gate)
        {
            _waiting.Add(turn);
            Pump();
            if (turn.State == Turn.TurnState.Waiting)
                turn.Decided = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        turn.FollowPriority();
        if (turn.Urgency != seen)
            Repump(); // Changed in between, when nobody told us.
        return turn;
    }

    /// <returns>Null where it would have to wait.</returns>
    public Turn? TryEnter(TurnRequest request)
    {
        var turn = Enter(request);
        if (turn.IsHeld)
            return turn;
        turn.Dispose();
        return null;
    }

    /// <exception cref="TurnWaitException">The caller gave up.</exception>
    public async ValueTask<Turn> EnterAsync(TurnRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turn = Enter(request);
        if (turn.Decided is { } decided)
            await WaitAsync(turn, decided.Task, cancellationToken);
        return turn;
    }

    public void Succeeded(Turn turn)
    {
        lock (_gate)
        {
            _backoff.Succeeded(turn.Number);
            _limit.Succeeded(_waiting.Count > 0 && _backoff.Failures == 0);
            Pump();
        }
    }

    /// <param name="turn">Null for a failure that came after the turn was over.</param>
    /// <param name="isThrottle">The host said that it is asked too much.</param>
    public void Failed(Turn? turn, TimeSpan? retryAfter = null, bool isThrottle = false)
    {
        TimeSpan wait;
        int failures;
        int limit;
        var isCut = false;
        lock (_gate)
        {
            wait = _backoff.Failed(_clock.GetUtcNow(), turn?.Number, _newest, retryAfter, isThrottle);
            failures = _backoff.Failures;
            if (isThrottle && turn is not null)
                isCut = _limit.Throttled(turn.Number, _newest);
            limit = _limit.Current;
        }

        _logger.HostBacksOff(Host, wait.TotalMilliseconds, failures);
        if (isCut)
            _logger.HostThrottles(Host, limit);
    }

    internal void Leave(Turn turn)
    {
        lock (_gate)
        {
            if (turn.State == Turn.TurnState.Over)
                return;
            (turn.State == Turn.TurnState.Waiting ? _waiting : _active).Remove(turn);
            turn.State = Turn.TurnState.Over;
            Pump();
            if (_waiting.Count == 0 && _active.Count == 0)
                FreeAll();
        }

        turn.UnfollowPriority();
    }

    internal void Repump()
    {
        lock (_gate)
            Pump();
    }

    private async ValueTask WaitAsync(Turn turn, Task decided, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        try
        {
            await decided.WaitAsync(cancellationToken);
            turn.Waited = _clock.GetElapsedTime(started);
        }
        catch (OperationCanceledException e)
        {
            // It may have been let go at this very moment; then this passes its place on.
            turn.Dispose();
            throw new TurnWaitException(Host, _clock.GetElapsedTime(started), e, cancellationToken);
        }
    }

    // Lets go whoever may go. Under the lock.
    private void Pump()
    {
        while (_waiting.Count > 0)
        {
            var now = _clock.GetUtcNow();
            var wait = _backoff.Wait(now);
            _order ??= new TurnOrder();
            var next = _order.Next(_waiting, _active, _limit.Current, isTime: wait == TimeSpan.Zero);
            if (next < 0)
            {
                if (wait > TimeSpan.Zero)
                    PumpAfter(wait);
                return;
            }

            var turn = _waiting[next];
            _waiting.RemoveAt(next);
            if (turn.Request.NeedsPlace)
                _active.Add(turn);
            if (turn.Request.NeedsTime)
                _backoff.Took(now);
            turn.Number = ++_newest;
            turn.State = Turn.TurnState.Held;
            turn.Decided?.SetResult();
        }
    }

    private void PumpAfter(TimeSpan wait)
    {
        // Timers count milliseconds; one that is early by a part of one would only come to see that.
        var due = TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        if (_timer is null)
            _timer = _clock.CreateTimer(static self => ((HostQueue)self!).Repump(), this, due, Timeout.InfiniteTimeSpan);
        else
            _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void FreeAll()
    {
        (_waiting, _active, _order) = ([], [], null);
        _timer?.Dispose();
        _timer = null;
    }
}
