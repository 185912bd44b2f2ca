namespace LazySnapshotter.Layers.Build;

// One stage of a build: what waits for it, and how it takes one item. It takes them in order and one at a time, on
// whichever thread is free. All state is BuildThreads', under its gate.
internal sealed class BuildStage(int capacity, BuildStage? next, Action<object> take)
{
    private readonly Queue<object> _waiting = new();

    /// <summary>Somebody is at it.</summary>
    public bool IsBusy { get; private set; }

    public bool HasRoom => _waiting.Count < capacity;

    /// <summary>Enough that it is worth while to wake somebody who fills it.</summary>
    public bool IsHalfEmpty => _waiting.Count <= capacity / 2;

    public bool CanStart => !IsBusy && _waiting.Count > 0 && next is not { HasRoom: false };

    public void Add(object item) => _waiting.Enqueue(item);

    public object Start()
    {
        IsBusy = true;
        return _waiting.Dequeue();
    }

    public void Finish() => IsBusy = false;

    /// <summary>Outside the gate.</summary>
    public void Take(object item) => take(item);
}
