namespace LazySnapshotter.Registry.Common;

// Many things to learn, each by one request at a time, whoever asks: who comes while a question is under way waits for its
// answer. Nothing is remembered here. A question belongs to nobody in particular: it goes on when the caller that started
// it gives up, so it needs a deadline of its own.
public sealed class FlightGroup<TKey, T>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Task<T>> _underWay = [];

    public Task<T> RunAsync(TKey key, Func<Task<T>> learn, CancellationToken cancellationToken)
    {
        Task<T>? flight;
        lock (_gate)
        {
            if (!_underWay.TryGetValue(key, out flight))
            {
                flight = Task.Run(learn, CancellationToken.None);
                _underWay.Add(key, flight);
                _ = EndAsync(key, flight);
            }
        }

        return flight.WaitAsync(cancellationToken);
    }

    /// <summary>Who asks from now on does not get the answer to a question that was asked before.</summary>
    public void Leave(TKey key)
    {
        lock (_gate)
            _underWay.Remove(key);
    }

    private async Task EndAsync(TKey key, Task<T> flight)
    {
        await ((Task)flight).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_underWay.TryGetValue(key, out var current) && current == flight)
                _underWay.Remove(key);
        }
    }
}
