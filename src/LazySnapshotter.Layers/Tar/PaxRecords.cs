using System.Buffers;

namespace LazySnapshotter.Layers.Tar;

// Collects all records of one pax header the way Go's archive/tar hands them out: the last one of a key counts, also when
// it is empty, and the many offset and length records of sparse format 0.0 are one map, as in format 0.1.
internal sealed class PaxRecords
{
    private readonly SortedDictionary<byte[], byte[]> _values = new(ByteOrder.Instance);
    private ArrayBufferWriter<byte>? _sparseMap;

    /// <exception cref="InvalidDataException">A record that Go refuses.</exception>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("GNU.sparse.offset"u8) || key.SequenceEqual("GNU.sparse.numbytes"u8))
        {
            if (_sparseMap is null)
                _sparseMap = new ArrayBufferWriter<byte>();
            else
                _sparseMap.Write(","u8);
            _sparseMap.Write(value);
            return;
        }

        // Go wants C strings where it has fields for them, and keys of C strings everywhere else.
        var isText = key.SequenceEqual("path"u8)
            || key.SequenceEqual("linkpath"u8) || key.SequenceEqual("uname"u8) || key.SequenceEqual("gname"u8);
        if ((isText ? value : key).Contains((byte)0))
            throw new InvalidDataException("pax record with a NUL in a name");
        _values[key.ToArray()] = value.ToArray();
    }

    public byte[]? Find(ReadOnlySpan<byte> key) => _values.GetValueOrDefault(key.ToArray()) is { Length: > 0 } value ? value : null;

    public IReadOnlyList<PaxRecord> ToList()
    {
        if (_sparseMap is not null)
            _values["GNU.sparse.map"u8.ToArray()] = _sparseMap.WrittenSpan.ToArray();
        return [.. _values.Select(record => new PaxRecord(record.Key, record.Value))];
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? left, byte[]? right) => left.AsSpan().SequenceCompareTo(right);
    }
}
