using System.Buffers.Binary;
using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Codecs.Gzip;

// The first half of reading a gzip blob as it streams by: finds the members, inflates them into chunks and notes where
// blocks start and end. Whoever feeds it calls Append with the bytes as they come, then Complete. What it notes but does
// not compute, the CRC, is for GzipChecker, so that threads can share the work.
//
// What follows the last member and does not start another one (padding, signatures, junk) belongs to the blob and to no
// file: it is passed over, as gzip(1) does, and containerd where unpigz(1) inflates for it. (Go's own reader, which
// containerd uses elsewhere, refuses the whole blob.)
//
// An error is thrown after everything before it was handed over: who takes the chunks in order meets the first one first.
internal sealed class GzipReader
{
    private const int TrailerLength = 8;

    /// <summary>A chunk is handed over when it has so many events, or so much of the blob was read, however little came out.</summary>
    private const int EventCountMax = 8192;
    private const int CompressedLengthMax = 1024 * 1024;

    /// <summary>Output between two marks. Each costs some symbols that are not decoded in the fast loop.</summary>
    private const long MarkDistance = 16 * 1024;

    private enum Part { Header, Deflate, Trailer, BetweenMembers, Tail }

    private readonly Inflater _inflater;
    private readonly Func<GzipChunk> _rent;
    private readonly Action<GzipChunk> _handOver;
    private readonly byte[] _trailer = new byte[TrailerLength];

    private GzipChunk _chunk;
    private Part _part = Part.Header;
    private GzipHeader _header;
    private int _trailerLength;
    private long _memberStart;
    private long _memberUncompressedStart;
    private long _handedOver;
    private long _nextMark;

    /// <param name="forPlacement">Whether the blocks' reach is counted, and marks are made; inflating is a few per cent slower
    /// then.</param>
    /// <param name="rent">Where chunks come from.</param>
    /// <param name="handOver">Where they go; the one that went before is read (not written) until this returns.</param>
    public GzipReader(bool forPlacement, Func<GzipChunk> rent, Action<GzipChunk> handOver)
    {
        _inflater = new Inflater { CountReach = forPlacement };
        _nextMark = forPlacement ? MarkDistance : long.MaxValue;
        _rent = rent;
        _handOver = handOver;
        _chunk = rent();
        _chunk.Follow(null);
    }

    public long CompressedOffset { get; private set; }

    public long UncompressedOffset => _chunk.UncompressedEnd;

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
                _ => SkipTail(compressed),
            };
            compressed = compressed[consumed..];
        }

        if (CompressedOffset - _handedOver >= CompressedLengthMax)
            HandOver();
    }

    /// <summary>Hands over what is there, be it little.</summary>
    public void Flush()
    {
        if (_chunk.Length > 0 || _chunk.Events.Count > 0)
            HandOver();
    }

    /// <exception cref="InvalidDataException">The blob is cut short.</exception>
    public void Complete()
    {
        if (_part is not (Part.BetweenMembers or Part.Tail) && !MayBeTail)
            throw Broken($"the gzip stream is cut short inside the {_part.ToString().ToLowerInvariant()} of the member at {_memberStart}");
        HandOver();
    }

    /// <summary>Whether what looked like another member's header until here may still turn out not to be one.</summary>
    private bool MayBeTail => _part == Part.Header && _memberStart > 0 && !_header.IsRecognised;

    private int ReadHeader(ReadOnlySpan<byte> compressed)
    {
        var consumed = _header.Append(compressed, out var error);
        CompressedOffset += consumed;
        if (error is not null && MayBeTail)
            _part = Part.Tail;
        else if (error is not null)
            throw Broken(error);
        if (!_header.IsComplete)
            return consumed;

        _header = default;
        _inflater.Reset();
        _memberUncompressedStart = UncompressedOffset;
        _part = Part.Deflate;
        NoteBlock(CompressedOffset * 8);
        return consumed;
    }

    private int ReadDeflate(ReadOnlySpan<byte> compressed)
    {
        var total = 0;
        while (true)
        {
            // A member knows nothing of the ones before it, although their output may lie before its own.
            var start = (int)Math.Max(0, GzipChunk.HistoryLength + _memberUncompressedStart - _chunk.UncompressedOffset);
            var position = GzipChunk.HistoryLength + _chunk.Length - start;
            var limit = GzipChunk.HistoryLength + GzipChunk.OutputLengthMax - start;
            var pauseAt = (int)Math.Min(position + (_nextMark - UncompressedOffset), int.MaxValue);
            var step = _inflater.Inflate(compressed[total..], _chunk.Buffer.AsSpan(start), position, limit, stopAtBlocks: true, pauseAt);
            total += step.Consumed;
            CompressedOffset += step.Consumed;
            _chunk.Length += step.Produced;

            switch (step.State)
            {
                case InflateState.Corrupt:
                    throw Broken(_inflater.Error);
                case InflateState.StreamEnd:
                    NoteBlockEnd();
                    _part = Part.Trailer;
                    _trailerLength = 0;
                    return total;
                case InflateState.BlockBoundary:
                    NoteBlockEnd();
                    NoteBlock(CompressedOffset * 8 - step.UnusedBits);
                    break;
                case InflateState.Paused:
                    _nextMark = (UncompressedOffset / MarkDistance + 1) * MarkDistance;
                    Note(new GzipEvent(GzipEventKind.Mark, _chunk.Length, CompressedOffset, CompressedOffset * 8 - step.UnusedBits));
                    break;
                case InflateState.OutputFull:
                    HandOver();
                    break;
                default:
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
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_trailer.AsSpan(4));
        Note(new GzipEvent(GzipEventKind.MemberEnd, _chunk.Length, CompressedOffset, _memberStart, crc, length));
        _part = Part.BetweenMembers;
        return consumed;
    }

    private int StartMember(ReadOnlySpan<byte> compressed)
    {
        _memberStart = CompressedOffset;
        _part = Part.Header;
        return 0;
    }

    private int SkipTail(ReadOnlySpan<byte> compressed)
    {
        CompressedOffset += compressed.Length;
        return compressed.Length;
    }

    private void NoteBlock(long startBit)
    {
        var kind = UncompressedOffset == _memberUncompressedStart ? GzipEventKind.MemberStart : GzipEventKind.BlockStart;
        Note(new GzipEvent(kind, _chunk.Length, CompressedOffset, startBit));
    }

    private void NoteBlockEnd() => Note(new GzipEvent(GzipEventKind.BlockEnd, _chunk.Length, CompressedOffset, _inflater.ReachBytes));

    private void Note(in GzipEvent happened)
    {
        _chunk.Events.Add(happened);
        if (_chunk.Events.Count >= EventCountMax)
            HandOver();
    }

    private void HandOver()
    {
        var next = _rent();
        next.Follow(_chunk);
        var done = _chunk;
        _chunk = next;
        done.CompressedEnd = _handedOver = CompressedOffset;
        _handOver(done);
    }

    private InvalidDataException Broken(string what)
    {
        Flush();
        return new InvalidDataException($"gzip, compressed offset {CompressedOffset}: {what}");
    }
}
