using System.Diagnostics;

namespace LazySnapshotter.Codecs.Inflate;

// Decodes one raw deflate stream (RFC 1951), from its start, from any block boundary, or from a pause inside a block. The
// caller owns both buffers: input comes in pieces of any size, output goes into a buffer that also holds the history, so a
// window is put there as plain bytes and nothing is copied twice. What one call does depends on nothing but the stream and the
// limits: however the input is cut, the same bytes come out and the same boundaries are reported.
//
//   buffer   | ... history ... | output .......... | not touched |
//            0                 position            limit
//
// Memory safety does not rest on the input: each loop checks that room is left for the most that one round of it can read
// or write, every table index is shorter than its table, and a distance never leaves the buffer. Not safe for concurrent use.
internal sealed unsafe partial class Inflater
{
    /// <summary>How far back a deflate match can reach (RFC 1951, section 2).</summary>
    public const int WindowLengthMax = 32768;

    // What a call may stop in, and the next one goes on with.
    private enum Part { FirstBit, BlockHeader, StoredLength, Stored, CodeCounts, CodeLengthLengths, CodeLengths, Symbols, StreamEnd,
        Corrupt }

    private Part _part;

    // Bits that have been read from the input and not been used; the next one is the lowest. Above the count may lie
    // anything: bits that came with a wide load, and will come again.
    private ulong _bits;
    private int _bitCount;
    private int _firstBit;
    private Part _firstPart;

    private bool _isLastBlock;
    private int _storedLeft;
    private long _producedInBlock;

    // A match that the limit has cut.
    private int _matchLeft;
    private int _matchDistance;

    private enum Tracking { None, Reach, References }

    private Tracking _tracking;

    public Inflater() => Reset();

    /// <summary>What is wrong with the stream, after <see cref="InflateState.Corrupt"/>.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Whether <see cref="ReachBytes"/> is kept; costs a few per cent.</summary>
    public bool CountReach
    {
        get => _tracking == Tracking.Reach;
        set => _tracking = value ? Tracking.Reach : Tracking.None;
    }

    /// <summary>
    /// Bytes which matches of the current block (at a boundary: of the block that has ended) have copied from before the block's start.
    /// </summary>
    public long ReachBytes { get; private set; }

    /// <summary>Starts a new stream, or goes into one at a block boundary.</summary>
    /// <param name="bitOffset">The bit (0 to 7) of the first input byte at which the first block starts.</param>
    public void Reset(int bitOffset = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bitOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bitOffset, 7);
        _part = Part.FirstBit;
        _firstBit = bitOffset;
        _firstPart = Part.BlockHeader;
        _bits = 0;
        _bitCount = 0;
        _matchLeft = 0;
        _producedInBlock = 0;
        ReachBytes = 0;
        Error = "";
    }

    /// <summary>Inflates until the output is full, the input is used up, a block ends (if asked for), or the stream does.</summary>
    /// <param name="input">Goes on where the last call's consumed bytes ended.</param>
    /// <param name="buffer">Holds before <paramref name="position"/> what matches may refer to: all of it that there is, up to 32
    /// KiB.</param>
    /// <param name="limit">Where output ends; bytes before it that are not produced may be overwritten all the same.</param>
    /// <param name="pauseAt">Where to stop as soon as a symbol has ended there or behind; behind the limit: nowhere.</param>
    public InflateStep Inflate(
        ReadOnlySpan<byte> input, Span<byte> buffer, int position, int limit, bool stopAtBlocks, int pauseAt = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, buffer.Length);
        // Sound: both buffers are pinned while the cursor lives, and it holds the bounds that were just checked.
        fixed (byte* inputPointer = input)
        fixed (byte* bufferPointer = buffer)
        {
            var cursor = new Cursor(inputPointer, input.Length, bufferPointer, position, limit, pauseAt, _producedInBlock);
            var state = Run(ref cursor, stopAtBlocks);
            if (state != InflateState.NeedInput)
                ReturnWholeBytes(ref cursor);
            _producedInBlock = cursor.ProducedInBlock;
            Debug.Assert(state is not (InflateState.BlockBoundary or InflateState.Paused or InflateState.StreamEnd) || _bitCount < 8);
            return new InflateStep(state, cursor.Consumed, cursor.Produced, _bitCount & 7);
        }
    }

    private InflateState Run(ref Cursor cursor, bool stopAtBlocks)
    {
        while (true)
        {
            switch (_part)
            {
                case Part.FirstBit:
                case Part.BlockHeader:
                case Part.StoredLength:
                case Part.CodeCounts:
                case Part.CodeLengthLengths:
                case Part.CodeLengths:
                    if (!ReadBlockHeader(ref cursor))
                        return _part == Part.Corrupt ? InflateState.Corrupt : InflateState.NeedInput;
                    continue;

                case Part.Stored:
                case Part.Symbols:
                    var stop = _part == Part.Stored ? CopyStored(ref cursor) : DecodeSymbols(ref cursor);
                    if (stop != Stop.EndOfBlock)
                        return stop switch
                        {
                            Stop.NeedInput => InflateState.NeedInput,
                            Stop.OutputFull => InflateState.OutputFull,
                            Stop.Paused => InflateState.Paused,
                            _ => InflateState.Corrupt,
                        };
                    _part = _isLastBlock ? Part.StreamEnd : Part.BlockHeader;
                    if (stopAtBlocks && !_isLastBlock)
                        return InflateState.BlockBoundary;
                    continue;

                case Part.StreamEnd:
                    // The rest of the last byte belongs to nobody.
                    ReturnWholeBytes(ref cursor);
                    _bitCount = 0;
                    return InflateState.StreamEnd;

                default:
                    return InflateState.Corrupt;
            }
        }
    }

    /// <summary>Gives back the bytes that were read ahead. What a former call has read has been used, or is still needed.</summary>
    private void ReturnWholeBytes(ref Cursor cursor)
    {
        var count = Math.Min(_bitCount / 8, cursor.Consumed);
        cursor.Input -= count;
        _bitCount -= count * 8;
        _bits &= (1UL << _bitCount) - 1;
    }

    private Stop Fail(string error)
    {
        Error = error;
        _part = Part.Corrupt;
        return Stop.Corrupt;
    }
}
