using System.Buffers.Binary;

namespace LazySnapshotter.Layers.Soci.FlatBuffers;

// A FlatBuffer read in place, believing nothing: every offset, length and vtable is compared with the buffer before it is
// followed. Offsets to strings, vectors and tables only ever lead forward, so there are no loops to fall into, and how
// deep a reader goes is up to its own code. What a buffer can do is name one thing many times; readers count.
// (Format: flatbuffers.dev, "FlatBuffers internals".)
internal readonly ref struct FlatBuffer(ReadOnlySpan<byte> bytes, string name)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly string _name = name;

    /// <exception cref="InvalidDataException">Not a FlatBuffer; the message says where.</exception>
    public FlatTable Root() => Table(0);

    /// <summary>The table an offset at this position leads to.</summary>
    public FlatTable Table(int position)
    {
        var table = Follow(position);
        var vtable = table - (long)ReadInt32(table);
        if (vtable < 0 || vtable > _bytes.Length - FlatTable.VtableHeaderLength)
            throw Bad(table, $"the table's vtable at {vtable} lies outside the buffer");

        // The table's own length, which the vtable states as well, is of no use: the Go builder lets tables of different
        // length share a vtable, and each field is held against the buffer when it is read.
        int vtableLength = ReadUInt16((int)vtable);
        if (vtableLength < FlatTable.VtableHeaderLength || vtableLength % sizeof(ushort) != 0 || vtableLength > _bytes.Length - vtable)
            throw Bad((int)vtable, $"a vtable of {vtableLength} bytes");
        return new FlatTable(this, table, (int)vtable, vtableLength);
    }

    /// <summary>The bytes of a string or byte vector an offset at this position leads to.</summary>
    public ReadOnlySpan<byte> Bytes(int position)
    {
        var (start, count) = Vector(position, elementLength: 1);
        return _bytes.Slice(start, count);
    }

    /// <summary>Where the elements of a vector start, and how many there are.</summary>
    public (int Start, int Count) Vector(int position, int elementLength)
    {
        var vector = Follow(position);
        var count = ReadUInt32(vector);
        var start = vector + sizeof(uint);
        if (count > (uint)(_bytes.Length - start) / (uint)elementLength)
            throw Bad(vector, $"a vector of {count} elements of {elementLength} bytes where {_bytes.Length - start} bytes are left");
        return (start, (int)count);
    }

    public sbyte ReadInt8(int position) => (sbyte)Slice(position, 1)[0];

    public int ReadInt32(int position) => BinaryPrimitives.ReadInt32LittleEndian(Slice(position, sizeof(int)));

    public uint ReadUInt32(int position) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(position, sizeof(uint)));

    public long ReadInt64(int position) => BinaryPrimitives.ReadInt64LittleEndian(Slice(position, sizeof(long)));

    public ushort ReadUInt16(int position) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(position, sizeof(ushort)));

    public InvalidDataException Bad(int position, string what) => new($"{_name}, byte {position}: {what}");

    // What an offset leads to starts with at least one 32-bit number.
    private int Follow(int position)
    {
        var offset = ReadUInt32(position);
        var target = position + (long)offset;
        if (offset == 0 || target > _bytes.Length - sizeof(uint))
            throw Bad(position, $"the offset {offset} leads out of the buffer of {_bytes.Length} bytes");
        return (int)target;
    }

    private ReadOnlySpan<byte> Slice(int position, int length)
    {
        if (position < 0 || position > _bytes.Length - length)
            throw Bad(position, $"{length} bytes expected, the buffer has {_bytes.Length}");
        return _bytes.Slice(position, length);
    }
}
