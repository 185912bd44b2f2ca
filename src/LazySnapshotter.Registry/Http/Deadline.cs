using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// The end of one operation's time, joined with its caller's token, and the translation of the one into an error that
// says so. Lives as long as the operation: for a range, until its stream is closed.
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _clock = new();
    private readonly TimeSpan _length;

    public Deadline(TimeSpan length)
    {
        _length = length;
        _clock.CancelAfter(length);
    }

    /// <summary>Cancelled when the time is over.</summary>
    public CancellationToken Token => _clock.Token;

    /// <summary>Runs one step of the operation for a caller.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    /// <exception cref="RegistryException">The time is over.</exception>
    public async Task<T> RunAsync<T>(
        string host, RequestSubject subject, Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Token);
        try
        {
            return await step(both.Token);
        }
        catch (OperationCanceledException e) when (Token.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Error(host, subject, e);
        }
    }

    public RegistryException Error(string host, RequestSubject subject, Exception? inner) =>
        subject.Error(
            RegistryFailure.TimedOut, host, $"not done within the deadline of {_length.TotalSeconds:0.###} " +
                $"s{(inner is TurnWaitException wait ? ": " + wait.Message : "")}", inner: inner);

    public void Dispose() => _clock.Dispose();
}
