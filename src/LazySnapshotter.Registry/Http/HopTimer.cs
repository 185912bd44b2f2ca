using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Http;

// How long one hop may take until the head of its response is here. Without a body that is the response timeout. With one
// the hop lasts as long as bytes move: time spent waiting for the body's own source is not the host's fault and does not
// count, a host that takes no bytes is given up after the stall timeout, and after the last byte it has time to store them.
// A body may outlive its hop (a host that answers before it has read everything), so late calls do nothing.
internal sealed class HopTimer : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _source;
    private readonly RegistryOptions _options;
    private string _waitingFor;
    private TimeSpan _limit;
    private bool _disposed;

    /// <param name="responseTimeout">From now to the head of a response, where no body is sent.</param>
    public HopTimer(RegistryOptions options, TimeSpan responseTimeout, CancellationToken cancellationToken)
    {
        _options = options;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _source.Token;
        _waitingFor = "";
        Start("no response", responseTimeout);
    }

    public CancellationToken Token { get; }

    /// <summary>What ran out, for the error.</summary>
    public string Expired
    {
        get
        {
            lock (_gate)
                return $"{_waitingFor} within {_limit.TotalSeconds:0.###} s";
        }
    }

    public void HostTakesBytes() => Start("no more bytes of the body taken", _options.StallTimeout);

    public void Pause() => Start("nothing", Timeout.InfiniteTimeSpan);

    public void BodySent() => Start("no response to what was sent", _options.UploadResponseTimeout);

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _source.Dispose();
        }
    }

    private void Start(string waitingFor, TimeSpan limit)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _waitingFor = waitingFor;
            _limit = limit;
            _source.CancelAfter(limit);
        }
    }
}
