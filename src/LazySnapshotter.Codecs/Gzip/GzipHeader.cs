namespace LazySnapshotter.Codecs.Gzip;

// Reads one gzip member header (RFC 1952, section 2.3), however its bytes are cut into pieces. Nothing in it matters
// to us but its end; its own checksum (FHCRC) is checked where there is one.
//
//   +---+---+---+---+---+---+---+---+---+---+=========+==========+=============+===========+
//   |x1f|x8b| 8 |FLG|     MTIME     |XFL|OS | [extra] | [name 0] | [comment 0] | [crc16]   |
//   +---+---+---+---+---+---+---+---+---+---+=========+==========+=============+===========+
internal struct GzipHeader
{
    /// <summary>Protects against a "file name" that never ends.</summary>
    public const int LengthMax = 1024 * 1024;

    private const byte FHCRC = 2;
    private const byte FEXTRA = 4;
    private const byte FNAME = 8;
    private const byte FCOMMENT = 16;
    private const byte Reserved = 0xE0;

    private const int FixedLength = 10;

    private enum Part { Fixed, ExtraLength, Extra, Name, Comment, Checksum, Done }

    private Part _part;
    private byte _flags;
    private int _length;
    private int _partLength;
    private int _value;
    private uint _crc;

    public readonly bool IsComplete => _part == Part.Done;

    /// <summary>Whether the fixed bytes have been read and say that this is a gzip member.</summary>
    public readonly bool IsRecognised => _part != Part.Fixed;

    /// <summary>Whether no byte of the header has been read.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>Consumes what belongs to the header; returns how many bytes that were.</summary>
    /// <param name="error">What is wrong with the byte at the returned position, or null.</param>
    public int Append(ReadOnlySpan<byte> bytes, out string? error)
    {
        error = null;
        var position = 0;
        while (position < bytes.Length && _part != Part.Done)
        {
            var value = bytes[position];
            error = Next(value, bytes.Slice(position, 1));
            if (error is not null)
                return position;
            position++;
            if (++_length > LengthMax)
            {
                error = $"gzip header longer than {LengthMax} bytes";
                return position;
            }

            SkipAbsentParts();
        }

        return position;
    }

    private string? Next(byte value, ReadOnlySpan<byte> single)
    {
        if (_part != Part.Checksum)
            _crc = Crc32.Append(_crc, single);

        switch (_part)
        {
            case Part.Fixed:
                var fault = (_partLength, value) switch
                {
                    (0, not 0x1F) or (1, not 0x8B) => "not a gzip header",
                    (2, not 8) => $"gzip compression method {value} is unknown",
                    (3, _) when (value & Reserved) != 0 => "gzip header with reserved flags",
                    _ => null,
                };
                if (_partLength == 3)
                    _flags = value;
                if (++_partLength == FixedLength)
                    Enter(Part.ExtraLength);
                return fault;

            case Part.ExtraLength:
                _value |= value << (8 * _partLength);
                if (++_partLength == 2)
                {
                    var length = _value;
                    Enter(Part.Extra);
                    _value = length;
                }

                return null;

            case Part.Extra:
                if (++_partLength == _value)
                    Enter(Part.Name);
                return null;

            case Part.Name:
            case Part.Comment:
                if (value == 0)
                    Enter(_part + 1);
                return null;

            default:
                _value |= value << (8 * _partLength);
                if (++_partLength < 2)
                    return null;
                var matches = _value == (int)(_crc & 0xFFFF);
                Enter(Part.Done);
                return matches ? null : "gzip header checksum does not match";
        }
    }

    private void SkipAbsentParts()
    {
        if (_part == Part.ExtraLength && (_flags & FEXTRA) == 0)
            Enter(Part.Name);
        if (_part == Part.Extra && _value == 0)
            Enter(Part.Name);
        if (_part == Part.Name && (_flags & FNAME) == 0)
            Enter(Part.Comment);
        if (_part == Part.Comment && (_flags & FCOMMENT) == 0)
            Enter(Part.Checksum);
        if (_part == Part.Checksum && (_flags & FHCRC) == 0)
            Enter(Part.Done);
    }

    private void Enter(Part part)
    {
        _part = part;
        _partLength = 0;
        _value = 0;
    }
}
