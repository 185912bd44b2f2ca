using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Scheduling;

// What is known of a place (scheme and host) that gives no answer, for those who do not wait until it does (Decision);
// all others ask it as ever, and whatever it answers them ends the outage. It begins
//   at once          no such name, nobody listens, no secure connection, silence
//   with the second  of two failures that may pass, one after the other, at a place that has not answered lately
// and is over when it answered, or after DecisionMemory, when one may find out again.
internal sealed class HostOutage(RegistryOptions options)
{
    private const int FailuresMax = 2;

    private readonly Lock _gate = new();
    private RegistryException? _cause;
    private RegistryException? _lastFailure;
    private DateTimeOffset _failedAt;
    private DateTimeOffset? _answeredAt;
    private int _failures;

    /// <summary>How long a sign of life is waited for.</summary>
    public TimeSpan Patience
    {
        get
        {
            lock (_gate)
            {
                var patience = HasAnsweredLately ? options.PatienceWithAnswerer : options.DecisionBudget;
                return patience < options.ResponseTimeout ? patience : options.ResponseTimeout;
            }
        }
    }

    /// <summary>Nothing is remembered that would be missed.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return CauseLocked is null && !HasAnsweredLately;
        }
    }

    /// <summary>Why it is not asked now; null if it is.</summary>
    public RegistryException? Cause
    {
        get
        {
            lock (_gate)
                return CauseLocked;
        }
    }

    /// <summary>What failed last; null where it has answered since.</summary>
    public RegistryException? LastFailure
    {
        get
        {
            lock (_gate)
                return _lastFailure;
        }
    }

    private RegistryException? CauseLocked => Now < _failedAt + options.DecisionMemory ? _cause : null;

    private bool HasAnsweredLately => _answeredAt is { } answered && Now < answered + options.DecisionMemory;

    private DateTimeOffset Now => options.Clock.GetUtcNow();

    /// <summary>Whether anything came from there since then.</summary>
    public bool HasAnsweredSince(DateTimeOffset time)
    {
        lock (_gate)
            return _answeredAt >= time;
    }

    /// <summary>An answer, or bytes of one.</summary>
    public void Answered()
    {
        lock (_gate)
        {
            _answeredAt = Now;
            (_cause, _lastFailure) = (null, null);
            _failures = 0;
        }
    }

    public void Failed(RegistryException error)
    {
        lock (_gate)
        {
            _failures++;
            _lastFailure = error;
            if (!error.IsLasting && (_failures < FailuresMax || HasAnsweredLately))
                return;
            _cause = error;
            _failedAt = Now;
            _answeredAt = null;
        }
    }
}
