using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Pulling;

// Whether the layers of one image that is being pulled are served lazily, as far as its registry has a say in it. One layer
// goes first; the others ask too as soon as a registry has given anything of the image, and not at all if it refuses: then
// its refusal is the answer for all layers, until the image is pulled anew.
//   undecided -> given     something of the image came, or a layer needed no registry
//   undecided -> refused   the layer that went first got a registry's error, whatever it was
//   given -> refused       a registry cannot be reached any more; other errors concern one layer alone
internal sealed class PullDecision
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _first;
    private RegistryException? _refusal;

    /// <summary>What its layers heard from registries.</summary>
    public Decision Registry { get; } = new();

    public bool IsGiven => _given.Task.IsCompleted || Registry.Given.IsCompleted;

    /// <returns>To be disposed of when the layer's turn is over; null for one of many.</returns>
    /// <exception cref="RegistryException">The image is refused.</exception>
    public async Task<IDisposable?> EnterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task first;
            lock (_gate)
            {
                if (_refusal is { } refusal)
                    throw Again(refusal);
                if (IsGiven)
                    return null;
                if (_first is null)
                {
                    _first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    return new FirstTurn(this);
                }

                first = _first.Task;
            }

            await Task.WhenAny(first, _given.Task, Registry.Given).WaitAsync(cancellationToken);
        }
    }

    public void Succeeded() => _given.TrySetResult();

    /// <returns>This is what the image is refused for.</returns>
    public bool Failed(RegistryException error)
    {
        lock (_gate)
        {
            if (_refusal is not null || (IsGiven && error.Failure is not (RegistryFailure.Unreachable or RegistryFailure.TimedOut)))
                return false;
            _refusal = error;
            return true;
        }
    }

    private static RegistryException Again(RegistryException refusal) =>
        new(refusal.Failure, refusal.Host, refusal.Message, refusal.StatusCode, refusal.Digest, refusal);

    private sealed class FirstTurn(PullDecision decision) : IDisposable
    {
        public void Dispose()
        {
            TaskCompletionSource? ended;
            lock (decision._gate)
                (ended, decision._first) = (decision._first, null);
            ended?.TrySetResult();
        }
    }
}
