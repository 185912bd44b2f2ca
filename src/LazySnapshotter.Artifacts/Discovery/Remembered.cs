namespace LazySnapshotter.Artifacts.Discovery;

// A question that many ask and one answer serves: asked once, whoever comes while it is under way waits for the same
// answer, and it is remembered for a while. A failure is remembered too, but only long enough for those who are about to
// ask the same (the other layers of the image), so that a registry that is down is not waited for once per layer.
// The question belongs to nobody: it goes on when the one who asked first gives up, and must have a deadline of its own.
internal sealed class Remembered<T>(Func<Task<T>> ask, TimeSpan answerTime, TimeSpan failureTime, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private Task<T>? _answer;
    private long _answeredAt;

    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> answer;
        lock (_gate)
        {
            if (_answer is null || IsStaleLocked())
                _answer = Task.Run(AskAsync, CancellationToken.None);
            answer = _answer;
        }

        return answer.WaitAsync(cancellationToken);
    }

    private bool IsStaleLocked()
    {
        if (!_answer!.IsCompleted)
            return false;
        var time = _answer.IsCompletedSuccessfully ? answerTime : failureTime;
        return clock.GetElapsedTime(Interlocked.Read(ref _answeredAt)) >= time;
    }

    private async Task<T> AskAsync()
    {
        try
        {
            return await ask();
        }
        finally
        {
            Interlocked.Exchange(ref _answeredAt, clock.GetTimestamp());
        }
    }
}
