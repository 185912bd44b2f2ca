using System.Runtime.ExceptionServices;

namespace LazySnapshotter.Layers.Index;

// What one stage of a build hands to the next, in order and not too much of it at a time. An end, good or bad, is handed
// over like everything else: whoever takes meets a failure only behind all that came before it. One side each.
internal sealed class Handover<T>(int capacity) : IDisposable
    where T : class
{
    private readonly SemaphoreSlim _room = new(capacity);
    private readonly SemaphoreSlim _ready = new(0);
    private readonly Queue<T> _items = new();
    private readonly Lock _gate = new();
    private ExceptionDispatchInfo? _failure;

    public void Add(T item, CancellationToken cancellationToken)
    {
        _room.Wait(cancellationToken);
        Enqueue(item);
    }

    public async ValueTask AddAsync(T item, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken);
        Enqueue(item);
    }

    /// <summary>Nothing more will come; with a failure: because of that.</summary>
    public void Complete(Exception? failure = null)
    {
        _failure = failure is null ? null : ExceptionDispatchInfo.Capture(failure);
        _ready.Release();
    }

    /// <summary>The next item; null behind the last one.</summary>
    public T? Take(CancellationToken cancellationToken)
    {
        _ready.Wait(cancellationToken);
        lock (_gate)
        {
            if (_items.TryDequeue(out var item))
            {
                _room.Release();
                return item;
            }
        }

        _failure?.Throw();
        return null;
    }

    public void Dispose()
    {
        _room.Dispose();
        _ready.Dispose();
    }

    private void Enqueue(T item)
    {
        lock (_gate)
            _items.Enqueue(item);
        _ready.Release();
    }
}
