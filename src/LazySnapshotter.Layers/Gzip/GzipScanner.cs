using System.Buffers.Binary;

namespace LazySnapshotter.Layers.Gzip;

// Follows a gzip blob as it streams by: checks the framing of every member (header, CRC-32, length), hands out the
// uncompressed bytes and names the deflate block boundaries. Whoever feeds it calls Append with the bytes as they
// come, then Complete. NUL padding behind the last member is accepted, as gzip(1) does; anything else is not.
internal sealed class GzipScanner(IGzipSink sink) : IDisposable
{
    private const int OutputLength = 256 * 1024;
    private const int TrailerLength = 8;

    private enum Part { Header, Deflate, Trailer, BetweenMembers, Padding }

    private readonly Inflater _inflater = new();
    private readonly byte[] _output = new byte[OutputLength];
    private readonly byte[] _trailer = new byte[TrailerLength];

    private Part _part = Part.Header;
    private GzipHeader _header;
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

    public void Dispose() => _inflater.Dispose();

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
        _crc = 0;
        _memberUncompressedStart = UncompressedOffset;
        _part = Part.Deflate;
        sink.BlockStart(CompressedOffset * 8, UncompressedOffset, history: null);
        return consumed;
    }

    private int ReadDeflate(ReadOnlySpan<byte> compressed)
    {
        // Until zlib wants more input: what it has buffered must come out before the caller's bytes are forgotten.
        var total = 0;
        while (true)
        {
            var step = _inflater.Inflate(compressed[total..], _output, stopAtBlocks: true);
            total += step.Consumed;
            CompressedOffset += step.Consumed;
            if (step.Produced > 0)
            {
                var bytes = _output.AsSpan(0, step.Produced);
                _crc = Crc32.Append(_crc, bytes);
                UncompressedOffset += step.Produced;
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
                    sink.BlockStart(CompressedOffset * 8 - step.UnusedBits, UncompressedOffset, _inflater);
                    break;
                case InflateState.Running when step.Produced < _output.Length && total == compressed.Length:
                    return total;
            }
        }
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
