namespace LazySnapshotter.Layers.Tar;

// The records of one pax extended header that mean something to us (POSIX pax, "pax Extended Header"), each
// `LENGTH KEY=VALUE\n` with the length of the whole record in decimal. A value is bytes: an xattr may hold anything,
// newlines and NULs included. An empty value takes a record back, but an xattr may well be empty.
internal sealed class PaxHeader
{
    private readonly Dictionary<string, byte[]> _records = new(StringComparer.Ordinal);
    private readonly List<TarXattr> _xattrs = [];
    private readonly List<long> _sparsePairs = [];
    private bool _sparsePairOpen;

    public byte[]? Path => Get("path");

    public byte[]? LinkPath => Get("linkpath");

    public IReadOnlyList<TarXattr> Xattrs => _xattrs;

    /// <summary>Offsets and lengths of a sparse file in format 0.0, alternating.</summary>
    public IReadOnlyList<long> SparsePairs => _sparsePairs;

    public string? SparseMajor => GetText("GNU.sparse.major");

    public string? SparseMinor => GetText("GNU.sparse.minor");

    public byte[]? SparseName => Get("GNU.sparse.name");

    /// <summary>The map of format 0.1: the pairs in decimal, between commas.</summary>
    public byte[]? SparseMap => Get("GNU.sparse.map");

    /// <summary>Every record; null unless asked for.</summary>
    public PaxRecords? Records { get; private init; }

    /// <param name="keepRecords">Keep also what means nothing to us.</param>
    /// <exception cref="InvalidDataException">Malformed; the message says how.</exception>
    public static PaxHeader Parse(ReadOnlySpan<byte> records, bool keepRecords = false)
    {
        var header = new PaxHeader { Records = keepRecords ? new PaxRecords() : null };
        while (!records.IsEmpty)
        {
            var space = records.IndexOf((byte)' ');
            if (space <= 0 || !TarNumber.TryParseDecimal(records[..space], out var length) || length < space + 3 || length > records.Length)
                throw new InvalidDataException("pax record with a wrong length");

            var record = records[(space + 1)..(int)length];
            records = records[(int)length..];
            if (record[^1] != '\n')
                throw new InvalidDataException("pax record without its closing newline");

            record = record[..^1];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw new InvalidDataException("pax record without a key");
            header.Add(record[..equals], record[(equals + 1)..]);
        }

        if (header._sparsePairOpen)
            throw new InvalidDataException("pax sparse offset without a length");
        return header;
    }

    /// <summary>The decimal value of uid, gid, size or a sparse size; null if the header does not have it.</summary>
    public long? GetNumber(string key)
    {
        if (Get(key) is not { } text)
            return null;
        return TarNumber.TryParseDecimal(text, out var value) ? value : throw new InvalidDataException($"pax record {key} is not a number");
    }

    public (long Seconds, uint Nanoseconds)? GetTime(string key)
    {
        if (Get(key) is not { } text)
            return null;
        return TarNumber.TryParseTime(text, out var seconds, out var nanoseconds)
            ? (seconds, nanoseconds)
            : throw new InvalidDataException($"pax record {key} is not a time");
    }

    /// <summary>Numbers and times must be such, also where nobody wants them.</summary>
    public void CheckNumbers()
    {
        foreach (var key in (ReadOnlySpan<string>)["uid", "gid", "size"])
            _ = GetNumber(key);
        foreach (var key in (ReadOnlySpan<string>)["mtime", "atime", "ctime"])
            _ = GetTime(key);
    }

    private void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Records?.Add(key, value);
        var xattrPrefix = "SCHILY.xattr."u8;
        if (key.StartsWith(xattrPrefix))
        {
            AddXattr(key[xattrPrefix.Length..], value);
        }
        else if (key.SequenceEqual("GNU.sparse.offset"u8))
        {
            AddSparseNumber(value, isOffset: true);
        }
        else if (key.SequenceEqual("GNU.sparse.numbytes"u8))
        {
            AddSparseNumber(value, isOffset: false);
        }
        else if (IsKnown(key))
        {
            if (!key.StartsWith("GNU."u8) && value.Contains((byte)0))
                throw new InvalidDataException("pax record with a NUL in a name or number");
            _records[System.Text.Encoding.ASCII.GetString(key)] = value.ToArray();
        }
    }

    private static bool IsKnown(ReadOnlySpan<byte> key) =>
        key.SequenceEqual("path"u8) || key.SequenceEqual("linkpath"u8) || key.SequenceEqual("size"u8)
        || key.SequenceEqual("uid"u8) || key.SequenceEqual("gid"u8)
        || key.SequenceEqual("mtime"u8) || key.SequenceEqual("atime"u8) || key.SequenceEqual("ctime"u8)
        || key.StartsWith("GNU.sparse."u8);

    private void AddXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.IsEmpty || name.Length > TarLimits.XattrNameLengthMax || name.Contains((byte)0))
            throw new InvalidDataException($"xattr name of {name.Length} bytes is not valid");
        if (value.Length > TarLimits.XattrValueLengthMax)
            throw new InvalidDataException($"xattr value of {value.Length} bytes is longer than {TarLimits.XattrValueLengthMax}");

        for (var i = 0; i < _xattrs.Count; i++)
        {
            if (name.SequenceEqual(_xattrs[i].Name))
            {
                _xattrs[i] = new TarXattr(_xattrs[i].Name, value.ToArray()); // the last one wins
                return;
            }
        }

        _xattrs.Add(new TarXattr(name.ToArray(), value.ToArray()));
        if (_xattrs.Count > TarLimits.XattrCountMax)
            throw new InvalidDataException($"more than {TarLimits.XattrCountMax} xattrs on one entry");
    }

    private void AddSparseNumber(ReadOnlySpan<byte> value, bool isOffset)
    {
        if (isOffset == _sparsePairOpen || !TarNumber.TryParseDecimal(value, out var number))
            throw new InvalidDataException("pax sparse offsets and lengths do not alternate, or are not numbers");
        _sparsePairOpen = isOffset;
        _sparsePairs.Add(number);
    }

    private byte[]? Get(string key) => _records.TryGetValue(key, out var value) && value.Length > 0 ? value : null;

    private string? GetText(string key) => Get(key) is { } value ? System.Text.Encoding.ASCII.GetString(value) : null;
}
