using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Blobs;

// What is remembered of one blob's location, shared by all its readers. States: unknown, being learned, known.
//   unknown -> being learned   the first reader sends its own ranged GET through the registry; there is no extra probe
//   being learned -> known     that request was answered; readers that waited go straight there
//   being learned -> unknown   it failed; readers that waited fail with it, or one takes its place if it only gave up
//   known -> unknown           the URL expired, or was refused
internal sealed class BlobLocationCell(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private BlobLocation? _current;
    private TaskCompletionSource<RegistryException?>? _learning;
    private ReadPriority? _leader;

    /// <summary>What is known now; nobody waits and nobody learns.</summary>
    public BlobLocation? Current
    {
        get
        {
            lock (_gate)
                return _current;
        }
    }

    /// <param name="subject">What the caller wants, for its own error should it share another's failure.</param>
    /// <param name="priority">Of the caller. Whoever learns it for others is as urgent as the most urgent of them.</param>
    /// <returns>The location, or null: then the caller learns it, and must say <see cref="Learned"/> or <see cref="Failed"/>.</returns>
    /// <exception cref="RegistryException">The one who was learning it failed with this, and would have failed for us.</exception>
    public async ValueTask<BlobLocation?> GetOrLeadAsync(RequestSubject subject, ReadPriority priority, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<RegistryException?> learned;
            ReadPriority? leader;
            lock (_gate)
            {
                if (_current is not null && clock.GetUtcNow() < _current.ExpiresAt)
                    return _current;
                if (_learning is null)
                {
                    _learning = new TaskCompletionSource<RegistryException?>(TaskCreationOptions.RunContinuationsAsynchronously);
                    _leader = priority;
                    return null;
                }

                learned = _learning.Task;
                leader = _leader;
            }

            using var raises = priority.OnRaised(() => leader?.RaiseTo(priority.Urgency));
            leader?.RaiseTo(priority.Urgency);
            if (await learned.WaitAsync(cancellationToken) is { } error)
                throw subject.Error(error.Failure, error.Host, $"the read that was to find it failed: {error.Message}", error.StatusCode, error);
        }
    }

    public void Learned(BlobLocation location)
    {
        lock (_gate)
        {
            _current = location;
            _learning?.SetResult(null);
            (_learning, _leader) = (null, null);
        }
    }

    /// <param name="error">Shared with those who wait; null if it concerns the caller alone.</param>
    public void Failed(RegistryException? error)
    {
        lock (_gate)
        {
            _current = null;
            _learning?.SetResult(error);
            (_learning, _leader) = (null, null);
        }
    }

    /// <summary>A known location turned out to be another one, without anybody waiting for it.</summary>
    public void Moved(BlobLocation location)
    {
        lock (_gate)
        {
            if (_learning is null)
                _current = location;
        }
    }

    /// <summary>A location was refused. Readers that have it already replaced are not disturbed.</summary>
    public void Forget(BlobLocation location)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_current, location))
                _current = null;
        }
    }
}
