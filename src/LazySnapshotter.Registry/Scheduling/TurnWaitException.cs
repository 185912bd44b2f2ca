namespace LazySnapshotter.Registry.Scheduling;

// Somebody gave up, or was out of time, while it still waited for its turn: nothing was sent. Says how long it waited and for
// whom, because a deadline that passes in a queue is another trouble than a slow host.
internal sealed class TurnWaitException(string host, TimeSpan waited, Exception inner, CancellationToken cancellationToken)
    : OperationCanceledException($"waited {waited.TotalSeconds:0.###} s for a turn at {host}", inner, cancellationToken);
