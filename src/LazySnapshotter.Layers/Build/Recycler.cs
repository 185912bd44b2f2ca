namespace LazySnapshotter.Layers.Build;

// Buffers that have been used and will be again: at the rate of a build they would otherwise keep the garbage collector
// busy. How many there are is bounded by who holds them. Safe for concurrent use.
internal sealed class Recycler<T>
    where T : class, new()
{
    private readonly Lock _gate = new();
    private readonly Stack<T> _free = new();

    public T Rent()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var item))
                return item;
        }

        return new T();
    }

    public void Return(T item)
    {
        lock (_gate)
            _free.Push(item);
    }

    /// <summary>Leaves what is free to the garbage collector.</summary>
    public void Clear()
    {
        lock (_gate)
            _free.Clear();
    }
}
