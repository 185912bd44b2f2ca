using System.Buffers.Binary;

namespace LazySnapshotter.Layers.Gzip;

// Follows a gzip blob as it streams by: checks the framing of every member (header, CRC-32, length), hands out the
// uncompressed bytes and names the deflate block boundaries. Whoever feeds it calls Append with the bytes as they
// come, then Complete. NUL padding behind the last member is accepted, as gzip(1) does; anything else is not.
internal sealed class GzipScanner(IGzipSink sink)
{
    private const int BufferLength = 512 * 1024;
    private const int TrailerLength = 8;

    private enum Part { Header, Deflate, Trailer, BetweenMembers, Padding }

    private readonly Inflater _inflater = new();
    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly byte[] _trailer = new byte[TrailerLength];

    private Part _part = Part.Header;
    private GzipHeader _header;
    private int _position;
    private int _historyStart;
    private int _trailerLength;
    private uint _crc;
    private long _memberStart;
    private long _memberUncompressedStart;

    public long CompressedOffset { get; private set; }

    public long UncompressedOffset { get; private set; }

    /// <exception cref="InvalidDataException">Not gzip, or damaged; the message has the offset.</exception>
    public void Append(ReadOnlySpan<byte> compressed)
    {
        while (!compressed.IsEmpty)
        {
            var consumed = _part switch
            {
                Part.Header => ReadHeader(compressed),
                Part.Deflate => ReadDeflate(compressed),
                Part.Trailer => ReadTrailer(compressed),
                Part.BetweenMembers => StartMember(compressed),
                _ => SkipPadding(compressed),
            };
            compressed = compressed[consumed..];
        }
    }

    /// <exception cref="InvalidDataException">The blob is cut short.</exception>
    public void Complete()
    {
        if (_part is not (Part.BetweenMembers or Part.Padding))
            throw Broken($"the gzip stream is cut short inside the {_part.ToString().ToLowerInvariant()} of the member at {_memberStart}");
    }

    private int ReadHeader(ReadOnlySpan<byte> compressed)
    {
        var consumed = _header.Append(compressed, out var error);
        CompressedOffset += consumed;
        if (error is not null)
            throw Broken(error);
        if (!_header.IsComplete)
            return consumed;

        _header = default;
        _inflater.Reset();
        _historyStart = _position;
        _crc = 0;
        _memberUncompressedStart = UncompressedOffset;
        _part = Part.Deflate;
        sink.BlockStart(CompressedOffset * 8, UncompressedOffset, isMemberStart: true);
        return consumed;
    }

    private int ReadDeflate(ReadOnlySpan<byte> compressed)
    {
        // Until the inflater wants more input: what it could still put out must come before the caller's bytes are forgotten.
        var total = 0;
        while (true)
        {
            var step = _inflater.Inflate(
                compressed[total..], isLast: false, _buffer.AsSpan(_historyStart), _position - _historyStart, _buffer.Length - _historyStart, stopAtBlocks: true);
            total += step.Consumed;
            CompressedOffset += step.Consumed;
            if (step.Produced > 0)
            {
                var bytes = _buffer.AsSpan(_position, step.Produced);
                _crc = Crc32.Append(_crc, bytes);
                UncompressedOffset += step.Produced;
                _position += step.Produced;
                sink.Uncompressed(bytes);
            }

            switch (step.State)
            {
                case InflateState.Corrupt:
                    throw Broken(_inflater.Error);
                case InflateState.StreamEnd:
                    _part = Part.Trailer;
                    _trailerLength = 0;
                    return total;
                case InflateState.BlockBoundary:
                    sink.BlockStart(CompressedOffset * 8 - step.UnusedBits, UncompressedOffset, isMemberStart: false);
                    break;
                case InflateState.OutputFull:
                    KeepHistory();
                    break;
                default:
                    return total;
            }
        }
    }

    /// <summary>Makes room again: what matches may still refer to moves to the front.</summary>
    private void KeepHistory()
    {
        var length = Math.Min(_position - _historyStart, Inflater.WindowLengthMax);
        _buffer.AsSpan(_position - length, length).CopyTo(_buffer);
        _historyStart = 0;
        _position = length;
    }

    private int ReadTrailer(ReadOnlySpan<byte> compressed)
    {
        var consumed = Math.Min(compressed.Length, TrailerLength - _trailerLength);
        compressed[..consumed].CopyTo(_trailer.AsSpan(_trailerLength));
        _trailerLength += consumed;
        CompressedOffset += consumed;
        if (_trailerLength < TrailerLength)
            return consumed;

        var crc = BinaryPrimitives.ReadUInt32LittleEndian(_trailer);
        if (crc != _crc)
            throw Broken($"the member at {_memberStart} has CRC {_crc:x8} but says {crc:x8}");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_trailer.AsSpan(4));
        if (length != (uint)(UncompressedOffset - _memberUncompressedStart))
            throw Broken($"the member at {_memberStart} has {UncompressedOffset - _memberUncompressedStart} bytes but says {length} (modulo 2^32)");
        _part = Part.BetweenMembers;
        return consumed;
    }

    private int StartMember(ReadOnlySpan<byte> compressed)
    {
        _memberStart = CompressedOffset;
        _part = compressed[0] == 0 ? Part.Padding : Part.Header;
        if (_part == Part.Header && compressed[0] != 0x1F)
            throw Broken("trailing garbage behind the gzip stream");
        return 0;
    }

    private int SkipPadding(ReadOnlySpan<byte> compressed)
    {
        var garbage = compressed.IndexOfAnyExcept((byte)0);
        CompressedOffset += garbage < 0 ? compressed.Length : garbage;
        if (garbage >= 0)
            throw Broken("trailing garbage behind the gzip stream and its padding");
        return compressed.Length;
    }

    private InvalidDataException Broken(string what) => new($"gzip, compressed offset {CompressedOffset}: {what}");
}
