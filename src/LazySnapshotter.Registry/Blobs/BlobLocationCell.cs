using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Blobs;

// What is remembered of one blob's location, shared by all its readers. States: unknown, being learned, known.
//   unknown -> being learned   the first reader sends its own ranged GET through the registry; there is no extra probe
//   being learned -> known     that request was answered; readers that waited go straight there
//   being learned -> unknown   it failed; readers that waited fail with it, or one takes its place if it only gave up
//   known -> unknown           the URL expired, or was refused
//   unknown -> known           the URL is remembered from before a restart, or by another process that asked
// Of a foreign blob (its descriptor names places) the first place is known from the beginning:
//   foreign -> next foreign    it was refused; after the last the registry is asked, as for any other blob
//   any -> foreign             whatever came of asking the registry, except that it has the blob
internal sealed class BlobLocationCell(TimeProvider clock, LocationMemory memory)
{
    private readonly Lock _gate = new();
    private BlobLocation? _current;
    private BlobLocation? _foreign;
    private bool _foreignExhausted;
    private (bool IsCoded, DateTimeOffset Until)? _coding;
    private TaskCompletionSource<RegistryException?>? _learning;
    private ReadPriority? _leader;

    // A pull-through cache sends one blob whole and ranges of the next.
    private (bool WithRange, bool Refused, DateTimeOffset Until)? _answer;

    /// <summary>What is known now; nobody waits and nobody learns.</summary>
    public BlobLocation? Current
    {
        get
        {
            lock (_gate)
                return _current;
        }
    }

    /// <summary>Whether a range was answered with that range; null if that is not known, or long ago.</summary>
    public bool? GaveRange
    {
        get
        {
            lock (_gate)
                return _answer is { } answer && clock.GetUtcNow() < answer.Until ? answer.WithRange : null;
        }
    }

    /// <summary>A range was refused, and the blob given without one. Until that is long ago it is asked for without.</summary>
    public bool RefusesRange
    {
        get
        {
            lock (_gate)
                return _answer is { Refused: true } answer && clock.GetUtcNow() < answer.Until;
        }
    }

    /// <summary>
    /// Whether the Content-Encoding of its answers is to be undone; null where nobody had to find out (CodingProbe), or long ago.
    /// </summary>
    public bool? IsCoded
    {
        get
        {
            lock (_gate)
                return _coding is { } coding && clock.GetUtcNow() < coding.Until ? coding.IsCoded : null;
        }
    }

    public void FoundCoding(bool isCoded)
    {
        lock (_gate)
            _coding = (isCoded, clock.GetUtcNow() + RangeSupport.Remembered);
    }

    public void Answered(bool withRange, bool refused = false)
    {
        lock (_gate)
            _answer = (withRange, refused, clock.GetUtcNow() + RangeSupport.Remembered);
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
                if (_current is null || clock.GetUtcNow() >= _current.ExpiresAt)
                    _current = memory.Recall() ?? (_foreignExhausted ? null : _foreign);
                if (_current is not null)
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
            // Ours may be the only place that background work gets at that host (TurnGroup): it must not wait for ours.
            if (TurnGroup.IsInside)
                leader?.RaiseTo(ReadUrgency.Metadata);
            if (await learned.WaitAsync(cancellationToken) is { } error)
                throw subject.Error(
                    error.Failure, error.Host, $"the read that was to find it failed: {error.Message}", error.StatusCode, error);
        }
    }

    /// <summary>The descriptor names places where the blob is.</summary>
    public void Prefill(BlobLocation? foreign)
    {
        lock (_gate)
            _foreign ??= foreign;
    }

    public void Learned(BlobLocation location)
    {
        memory.Remember(location);
        lock (_gate)
        {
            _current = location;
            _foreignExhausted = false;
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
            _foreignExhausted = false;
            _learning?.SetResult(error);
            (_learning, _leader) = (null, null);
        }
    }

    /// <summary>A known location turned out to be another one, without anybody waiting for it.</summary>
    public void Moved(BlobLocation location)
    {
        memory.Remember(location);
        lock (_gate)
        {
            if (_learning is null)
                _current = location;
        }
    }

    /// <summary>A location was refused. Readers that have it already replaced are not disturbed.</summary>
    public void Forget(BlobLocation location)
    {
        memory.Forget(location);
        lock (_gate)
        {
            if (!ReferenceEquals(_current, location))
                return;
            _current = location.Next;
            _foreignExhausted = location.IsForeign && location.Next is null;
        }
    }
}
