using System.Buffers.Binary;
using System.Diagnostics;

namespace LazySnapshotter.Layers.Soci.FlatBuffers;

// Writes a FlatBuffer back to front, with the very bytes Google's Go builder makes for the same calls, because a zTOC is
// known by its digest: what is written first ends up last, every value is aligned counting from the end of the buffer,
// equal vtables are written once (the most recent one is taken), and defaults are left out by whoever calls.
//
// A position is counted from the end of the buffer too, so it stays what it is while the buffer grows at its front.
internal sealed class FlatBufferBuilder
{
    private const int OffsetLength = sizeof(uint);
    private const int VtableHeaderLength = 2 * sizeof(ushort);

    private readonly List<(int Position, ushort[] Fields)> _vtables = [];
    private readonly int[] _fields;
    private byte[] _bytes;
    private int _length;
    private int _alignment = 1;
    private int _fieldCount;
    private int _tableEnd;

    /// <param name="fieldCountMax">Fields of the largest table.</param>
    /// <param name="capacity">How long the buffer is likely to become.</param>
    public FlatBufferBuilder(int fieldCountMax, int capacity)
    {
        _fields = new int[fieldCountMax];
        _bytes = new byte[Math.Max(capacity, 64)];
    }

    public int AddString(ReadOnlySpan<byte> text)
    {
        Align(OffsetLength, text.Length + 1);
        Push(1)[0] = 0;
        return AddRaw(text);
    }

    public int AddBytes(ReadOnlySpan<byte> bytes)
    {
        Align(OffsetLength, bytes.Length);
        return AddRaw(bytes);
    }

    public int AddOffsets(ReadOnlySpan<int> positions)
    {
        Align(OffsetLength, checked(OffsetLength * positions.Length));
        for (var i = positions.Length - 1; i >= 0; i--)
            PushOffset(positions[i]);
        PushUInt32((uint)positions.Length);
        return _length;
    }

    public void StartTable(int fieldCount)
    {
        _fieldCount = fieldCount;
        _fields.AsSpan(0, fieldCount).Clear();
        _tableEnd = _length;
    }

    public void AddOffset(int field, int position)
    {
        PushOffset(position);
        _fields[field] = _length;
    }

    public void AddInt8(int field, sbyte value, sbyte elided = 0)
    {
        if (value == elided)
            return;
        Align(1, 0);
        Push(1)[0] = (byte)value;
        _fields[field] = _length;
    }

    public void AddInt32(int field, int value)
    {
        if (value == 0)
            return;
        Align(sizeof(int), 0);
        PushUInt32((uint)value);
        _fields[field] = _length;
    }

    public void AddInt64(int field, long value)
    {
        if (value == 0)
            return;
        Align(sizeof(long), 0);
        BinaryPrimitives.WriteInt64LittleEndian(Push(sizeof(long)), value);
        _fields[field] = _length;
    }

    /// <summary>Ends the table; fields added to it are found through its vtable, which may be an earlier table's.</summary>
    public int EndTable()
    {
        Align(OffsetLength, 0);
        PushUInt32(0); // the way to the vtable, known below
        var table = _length;
        while (_fieldCount > 0 && _fields[_fieldCount - 1] == 0)
            _fieldCount--;
        var fields = new ushort[_fieldCount];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = _fields[i] == 0 ? (ushort)0 : checked((ushort)(table - _fields[i]));

        var vtable = FindVtable(fields);
        if (vtable == 0)
        {
            // A vtable reads: its own length, the table's length, where each field is (0: left out).
            for (var i = fields.Length - 1; i >= 0; i--)
                PushUInt16(fields[i]);
            PushUInt16(checked((ushort)(table - _tableEnd)));
            PushUInt16((ushort)(VtableHeaderLength + fields.Length * sizeof(ushort)));
            vtable = _length;
            _vtables.Add((vtable, fields));
        }

        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_bytes.Length - table), vtable - table);
        return table;
    }

    /// <summary>The whole buffer, starting with the way to its root table.</summary>
    public ReadOnlyMemory<byte> Finish(int root)
    {
        Align(_alignment, OffsetLength);
        PushOffset(root);
        return _bytes.AsMemory(_bytes.Length - _length);
    }

    // Like the Go builder, compares the fields alone: a table's length may differ from the one in the vtable it shares.
    private int FindVtable(ReadOnlySpan<ushort> fields)
    {
        for (var i = _vtables.Count - 1; i >= 0; i--)
        {
            if (fields.SequenceEqual(_vtables[i].Fields))
                return _vtables[i].Position;
        }

        return 0;
    }

    private int AddRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Push(bytes.Length));
        PushUInt32((uint)bytes.Length);
        return _length;
    }

    // An offset says how far ahead of itself something is.
    private void PushOffset(int position)
    {
        Align(OffsetLength, 0);
        Debug.Assert(position > 0 && position <= _length, "only what has been written can be pointed at");
        PushUInt32((uint)(_length - position + OffsetLength));
    }

    private void PushUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Push(sizeof(uint)), value);

    private void PushUInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Push(sizeof(ushort)), value);

    /// <summary>Pads so that after so many more bytes a value of this size comes to lie on a multiple of its size.</summary>
    private void Align(int size, int following)
    {
        _alignment = Math.Max(_alignment, size);
        var padding = -checked(_length + following) & (size - 1);
        Push(padding).Clear();
    }

    private Span<byte> Push(int length)
    {
        var needed = checked(_length + length);
        if (needed > _bytes.Length)
        {
            var larger = new byte[(int)Math.Min(Array.MaxLength, Math.Max(needed, _bytes.Length * 2L))];
            _bytes.AsSpan(_bytes.Length - _length).CopyTo(larger.AsSpan(larger.Length - _length));
            _bytes = larger;
        }

        _length = needed;
        return _bytes.AsSpan(_bytes.Length - _length, length);
    }
}
