namespace LazySnapshotter.Layers.Soci.FlatBuffers;

// A vector of offsets, to tables or to strings.
internal readonly ref struct FlatVector(FlatBuffer buffer, int start, int count)
{
    private readonly FlatBuffer _buffer = buffer;
    private readonly int _start = start;

    public int Count { get; } = count;

    public FlatTable Table(int index) => _buffer.Table(PositionOf(index));

    public ReadOnlySpan<byte> Bytes(int index) => _buffer.Bytes(PositionOf(index));

    private int PositionOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
        return _start + index * sizeof(uint);
    }
}
