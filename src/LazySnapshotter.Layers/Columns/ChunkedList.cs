namespace LazySnapshotter.Layers.Columns;

// A list of structs that grows without copying: a large layer's tree would otherwise stand in memory twice whenever it
// outgrows an array, and leave the old one to the garbage collector.
internal sealed class ChunkedList<T>
    where T : struct
{
    private const int ChunkBits = 12;
    private const int ChunkMask = (1 << ChunkBits) - 1;

    private readonly List<T[]> _chunks = [];

    public int Count { get; private set; }

    public ref T this[int index] => ref _chunks[index >> ChunkBits][index & ChunkMask];

    public int Add(in T item)
    {
        if (Count >> ChunkBits == _chunks.Count)
            _chunks.Add(new T[1 << ChunkBits]);
        this[Count] = item;
        return Count++;
    }

    /// <summary>Empties the list, and leaves its memory to the garbage collector.</summary>
    public void Clear()
    {
        _chunks.Clear();
        Count = 0;
    }
}
