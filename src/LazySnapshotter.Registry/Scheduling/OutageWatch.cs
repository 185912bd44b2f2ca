using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Scheduling;

// Ends a wait for a turn at a host when nothing has come from there, to anybody, for as long as is waited for an answer.
internal sealed class OutageWatch : IDisposable
{
    private const int LooksPerPatience = 8;

    private readonly CancellationTokenSource _source;
    private readonly HostOutage _outage;
    private readonly RegistryOptions _options;
    private readonly ITimer _timer;
    private readonly DateTimeOffset _since;

    public OutageWatch(HostOutage outage, RegistryOptions options, CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _outage = outage;
        _options = options;
        _since = options.Clock.GetUtcNow();
        var every = outage.Patience / LooksPerPatience;
        _timer = options.Clock.CreateTimer(static self => ((OutageWatch)self!).Look(), this, every, every);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        lock (_source)
        {
            _timer.Dispose();
            _source.Dispose();
        }
    }

    private void Look()
    {
        var patience = _outage.Patience;
        var now = _options.Clock.GetUtcNow();
        if (_outage.Cause is null && (now - _since < patience || _outage.HasAnsweredSince(now - patience)))
            return;
        lock (_source)
        {
            // A look that began before the end may come after it.
            try
            {
                _source.Cancel();
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }
}
