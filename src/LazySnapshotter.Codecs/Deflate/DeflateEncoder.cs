using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LazySnapshotter.Codecs.Deflate;

// Deflates (RFC 1951) what goes into index files. The runtime's zlib-ng chooses its algorithm by CPU and version; an
// index of the same layer has to be the same everywhere, and there is nothing here that could differ: integers, one
// thread, tables sized by the input. Hash chains with lazy matching as in zlib's level 6, with two refinements that pay
// for columns: short matches are found by a table of their own, and a block ends where the statistics change.
// Not safe for concurrent use; Encode(...) uses an encoder per thread.
internal sealed class DeflateEncoder
{
    private const int WindowMask = 32767;
    private const int HashBitsMax = 15;
    private const int ChainMax = 48;
    private const int ChainMaxBehindGoodMatch = 12;
    private const int GoodLength = 16;
    private const int LazyLength = 32;
    private const int NiceLength = 128;

    /// <summary>A match of three bytes from farther away than this costs more than three literals (zlib: TOO_FAR).</summary>
    private const int ShortMatchDistanceMax = 4096;

    /// <summary>Where a block may end, and how long it may get, in symbols.</summary>
    private const int ChunkLength = 2048;
    private const int BlockChunksMax = 32;

    /// <summary>Words are compared eight bytes at a time; the last few bytes of the input are not worth a match.</summary>
    private const int Tail = 8;

    [ThreadStatic]
    private static DeflateEncoder? _ofThread;

    private readonly int[] _head = new int[1 << HashBitsMax];
    private readonly int[] _shortHead = new int[1 << HashBitsMax];
    private readonly int[] _previous = new int[WindowMask + 1];
    private readonly uint[] _symbols = new uint[ChunkLength * BlockChunksMax];
    private readonly DeflateBitWriter _output = new();
    private readonly DeflateBlockWriter _blocks;
    private DeflateFrequencies _block = new();
    private DeflateFrequencies _chunk = new();
    private DeflateFrequencies _merged = new();
    private long _blockCost;
    private int _blockSymbols; // those that are settled; behind them those of the chunk
    private int _blockStart;   // in the input
    private int _chunkStart;
    private int _symbolCount;
    private int _hashShift;

    private DeflateEncoder() => _blocks = new DeflateBlockWriter(_output);

    /// <summary>One deflate stream, the same for the same input whoever asks.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> input) => (_ofThread ??= new DeflateEncoder()).Run(input);

    private byte[] Run(ReadOnlySpan<byte> input)
    {
        var hashBits = Math.Clamp(BitOperations.Log2((uint)input.Length | 1) + 1, 8, HashBitsMax);
        _hashShift = 32 - hashBits;
        _head.AsSpan(0, 1 << hashBits).Fill(-1 - WindowMask);
        _shortHead.AsSpan(0, 1 << hashBits).Fill(-1 - WindowMask);
        _output.Clear();
        _block.Clear();
        _chunk.Clear();
        (_blockSymbols, _blockStart, _chunkStart, _symbolCount) = (0, 0, 0, 0);

        FindMatches(input);
        EndChunk(input, input.Length);
        WriteBlock(input, input.Length, isLast: true);
        return _output.Take();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FindMatches(ReadOnlySpan<byte> input)
    {
        var position = 0;
        var pendingLength = 0; // of a match that starts a byte ago
        var pendingDistance = 0;
        var hasPending = false; // that byte is neither sent nor part of a match yet
        while (position < input.Length)
        {
            var length = 0;
            var distance = 0;
            if (position < input.Length - Tail)
            {
                if (pendingLength < LazyLength)
                    length = FindLongest(input, position, Math.Max(pendingLength, DeflateSymbols.MatchLengthMin - 1), out distance);
                else
                    Insert(input, position);
            }

            if (pendingLength > 0 && length == 0)
            {
                AddMatch(pendingLength, pendingDistance);
                var end = position - 1 + pendingLength;
                for (var inner = position + 1; inner < Math.Min(end, input.Length - Tail); inner++)
                    Insert(input, inner);
                position = end;
                pendingLength = 0;
                hasPending = false;
                EndChunkIfFull(input, position);
                continue;
            }

            if (hasPending)
            {
                AddLiteral(input[position - 1]);
                EndChunkIfFull(input, position);
            }

            hasPending = true;
            (pendingLength, pendingDistance) = (length, distance);
            position++;
        }

        if (hasPending)
            AddLiteral(input[^1]);
    }

    /// <summary>The longest match that is longer than what there is; 0 if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindLongest(ReadOnlySpan<byte> input, int position, int longerThan, out int distance)
    {
        ref var start = ref MemoryMarshal.GetReference(input);
        var word = WordAt(ref start, position);
        ref var shortSlot = ref _shortHead[ShortHash(word)];
        ref var slot = ref _head[Hash(word)];
        var shortCandidate = shortSlot;
        var candidate = slot;
        shortSlot = position;
        slot = position;
        _previous[position & WindowMask] = candidate;

        distance = 0;
        var best = longerThan;
        var limit = Math.Min(DeflateSymbols.MatchLengthMax, input.Length - position);
        if (best < DeflateSymbols.MatchLengthMin && position - shortCandidate <= ShortMatchDistanceMax
            && ((WordAt(ref start, shortCandidate) ^ word) & 0xFFFFFF) == 0)
        {
            best = DeflateSymbols.MatchLengthMin;
            distance = position - shortCandidate;
        }

        var chain = longerThan >= GoodLength ? ChainMaxBehindGoodMatch : ChainMax;
        var oldest = Math.Max(0, position - WindowMask); // one less than deflate can reach: the oldest one's link is this position's
        // Sound: a candidate lies before the position, and best is below the limit, which ends with the input; a position that is
        // not in the tail has eight bytes behind it.
        ref var previous = ref MemoryMarshal.GetArrayDataReference(_previous);
        for (; candidate >= oldest && chain > 0 && best < limit; chain--, candidate = Unsafe.Add(ref previous, candidate & WindowMask))
        {
            if (Unsafe.Add(ref start, candidate + best) != Unsafe.Add(ref start, position + best)
                || WordAt(ref start, candidate) != word)
            {
                continue;
            }

            var length = MatchLength(ref start, candidate, position, limit);
            if (length > best)
            {
                best = length;
                distance = position - candidate;
                if (length >= NiceLength)
                    break;
            }
        }

        return distance > 0 ? best : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Insert(ReadOnlySpan<byte> input, int position)
    {
        var word = WordAt(ref MemoryMarshal.GetReference(input), position);
        ref var slot = ref _head[Hash(word)];
        _previous[position & WindowMask] = slot;
        slot = position;
        _shortHead[ShortHash(word)] = position;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MatchLength(ref byte start, int candidate, int position, int limit)
    {
        var length = 4;
        while (length + 8 <= limit)
        {
            var difference = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, candidate + length))
                ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, position + length));
            if (difference != 0)
                return length + (BitConverter.IsLittleEndian
                    ? BitOperations.TrailingZeroCount(difference)
                    : BitOperations.LeadingZeroCount(difference)) / 8;
            length += 8;
        }

        while (length < limit && Unsafe.Add(ref start, candidate + length) == Unsafe.Add(ref start, position + length))
            length++;
        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint WordAt(ref byte start, int position)
    {
        var word = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, position));
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    private int Hash(uint word) => (int)((word * 0x9E3779B1) >> _hashShift);

    private int ShortHash(uint word) => (int)(((word << 8) * 0x9E3779B1) >> _hashShift);

    private void AddLiteral(byte literal)
    {
        _symbols[_symbolCount++] = literal;
        _chunk.Literals[literal]++;
    }

    private void AddMatch(int length, int distance)
    {
        _symbols[_symbolCount++] = (uint)(distance << 9 | length);
        _chunk.Literals[DeflateSymbols.LengthCode(length) + 257]++;
        _chunk.Distances[DeflateSymbols.DistanceCode(distance)]++;
    }

    private void EndChunkIfFull(ReadOnlySpan<byte> input, int position)
    {
        if (_symbolCount - _blockSymbols < ChunkLength)
            return;
        EndChunk(input, position);
        if (_symbolCount == _symbols.Length)
            WriteBlock(input, position, isLast: false);
    }

    /// <summary>Takes the chunk into the block, or makes it the start of the next one if that is smaller.</summary>
    private void EndChunk(ReadOnlySpan<byte> input, int position)
    {
        var chunkCost = _blocks.CostOf(_chunk);
        if (_blockSymbols == 0)
        {
            (_block, _chunk) = (_chunk, _block);
            _blockCost = chunkCost;
        }
        else
        {
            _merged.Clear();
            _merged.Add(_block);
            _merged.Add(_chunk);
            var mergedCost = _blocks.CostOf(_merged);
            if (mergedCost > _blockCost + chunkCost)
            {
                // What was the chunk is the block now.
                var chunkSymbols = _symbolCount - _blockSymbols;
                var symbols = _symbols.AsSpan(_blockSymbols, chunkSymbols);
                _blocks.Write(_symbols.AsSpan(0, _blockSymbols), _block, input[_blockStart.._chunkStart], isLast: false);
                symbols.CopyTo(_symbols);
                _symbolCount = chunkSymbols;
                _blockStart = _chunkStart;
                (_block, _chunk) = (_chunk, _block);
                _blockCost = chunkCost;
            }
            else
            {
                (_block, _merged) = (_merged, _block);
                _blockCost = mergedCost;
            }
        }

        _chunk.Clear();
        _blockSymbols = _symbolCount;
        _chunkStart = position;
    }

    private void WriteBlock(ReadOnlySpan<byte> input, int position, bool isLast)
    {
        _blocks.Write(_symbols.AsSpan(0, _blockSymbols), _block, input[_blockStart..position], isLast);
        _block.Clear();
        (_blockSymbols, _symbolCount, _blockStart, _chunkStart) = (0, 0, position, position);
    }
}
