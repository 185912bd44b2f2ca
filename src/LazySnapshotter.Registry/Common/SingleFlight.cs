namespace LazySnapshotter.Registry.Common;

/// <summary>How good a remembered answer still is.</summary>
internal enum Freshness
{
    Fresh,

    /// <summary>Usable, but time to ask again in the background.</summary>
    Aging,

    Expired,
}

// One thing to learn, asked once whoever wants to know: the first caller starts the question, all others wait for the
// same answer. The question belongs to nobody in particular: it goes on when the caller that started it gives up, so it
// needs a deadline of its own. An answer is remembered while it is fresh, a failure only by those who waited for it.
internal sealed class SingleFlight<T>(Func<Task<T>> learn, Func<T, Freshness> freshness)
{
    private readonly Lock _gate = new();
    private Task<T>? _answer;
    private Task<T>? _renewal;

    /// <summary>Asked now, it is answered without a question.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_gate)
                return _answer is { IsCompletedSuccessfully: true } && JudgeLocked() != Freshness.Expired;
        }
    }

    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> answer;
        lock (_gate)
        {
            if (_renewal is { IsCompletedSuccessfully: true })
                _answer = _renewal;
            if (_renewal is { IsCompleted: true })
                _renewal = null;

            switch (JudgeLocked())
            {
                case Freshness.Expired:
                    _answer = _renewal ?? Task.Run(learn, CancellationToken.None);
                    _renewal = null;
                    break;
                case Freshness.Aging:
                    _renewal ??= Task.Run(learn, CancellationToken.None);
                    break;
                default:
                    break;
            }

            answer = _answer!;
        }

        return answer.IsCompleted ? answer : answer.WaitAsync(cancellationToken);
    }

    /// <summary>Forgets the answer if it is the one the caller found wanting: told so by several, it is learned anew once.</summary>
    public void ForgetIf(Func<T, bool> wanting)
    {
        lock (_gate)
        {
            if (_answer is { IsCompletedSuccessfully: true } && wanting(_answer.Result))
                _answer = null;
        }
    }

    /// <summary>Replaces the answer by one that came from elsewhere.</summary>
    public void Set(T answer)
    {
        lock (_gate)
            _answer = Task.FromResult(answer);
    }

    private Freshness JudgeLocked() => _answer switch
    {
        null => Freshness.Expired,
        { IsCompletedSuccessfully: true } => freshness(_answer.Result),
        { IsCompleted: true } => Freshness.Expired,
        _ => Freshness.Fresh,
    };
}
