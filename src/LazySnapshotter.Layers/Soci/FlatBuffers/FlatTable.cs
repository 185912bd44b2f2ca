namespace LazySnapshotter.Layers.Soci.FlatBuffers;

// One table of a FlatBuffer: fields by their number in the schema. A field that is left out has its default, which for
// strings and vectors is empty, as it is in Go.
internal readonly ref struct FlatTable
{
    public const int VtableHeaderLength = 2 * sizeof(ushort);

    private readonly FlatBuffer _buffer;
    private readonly int _table;
    private readonly int _vtable;
    private readonly int _vtableLength;

    /// <summary>Only FlatBuffer makes these, having checked that the vtable and the table's first bytes lie in the buffer.</summary>
    internal FlatTable(FlatBuffer buffer, int table, int vtable, int vtableLength)
    {
        _buffer = buffer;
        _table = table;
        _vtable = vtable;
        _vtableLength = vtableLength;
    }

    public sbyte Int8(int field, sbyte missing) => Find(field) is var position and > 0 ? _buffer.ReadInt8(position) : missing;

    public int Int32(int field) => Find(field) is var position and > 0 ? _buffer.ReadInt32(position) : 0;

    public uint UInt32(int field) => (uint)Int32(field);

    public long Int64(int field) => Find(field) is var position and > 0 ? _buffer.ReadInt64(position) : 0;

    public ReadOnlySpan<byte> Bytes(int field) => Find(field) is var position and > 0 ? _buffer.Bytes(position) : default;

    public FlatVector Offsets(int field)
    {
        var position = Find(field);
        if (position == 0)
            return new FlatVector(_buffer, 0, 0);
        var (start, count) = _buffer.Vector(position, sizeof(uint));
        return new FlatVector(_buffer, start, count);
    }

    public bool TryTable(int field, out FlatTable table)
    {
        var position = Find(field);
        table = position > 0 ? _buffer.Table(position) : default;
        return position > 0;
    }

    /// <summary>Where a field is in the buffer; 0 if it is left out.</summary>
    private int Find(int field)
    {
        var entry = VtableHeaderLength + field * sizeof(ushort);
        if (entry > _vtableLength - sizeof(ushort))
            return 0;
        var offset = _buffer.ReadUInt16(_vtable + entry);
        if (offset == 0)
            return 0;
        if (offset < sizeof(int))
            throw _buffer.Bad(_table, $"field {field} at {offset}, on top of the table's own start");
        return _table + offset;
    }
}
