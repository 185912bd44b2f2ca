using System.Runtime.CompilerServices;
using static LazySnapshotter.Codecs.Inflate.DeflateCodes;

namespace LazySnapshotter.Codecs.Inflate;

// Block headers (RFC 1951, sections 3.2.3, 3.2.4 and 3.2.7) and stored blocks. A header is read item by item, each as
// soon as its bits are there, so that it may be cut anywhere.
internal sealed unsafe partial class Inflater
{
    private readonly uint[] _ownLengthTable = new uint[LengthTableLength];
    private readonly uint[] _ownDistanceTable = new uint[DistanceTableLength];
    private readonly uint[] _codeLengthTable = new uint[CodeLengthTableLength];
    private readonly byte[] _lengths = new byte[LengthCountMax + DistanceCountMax];

    // The tables of the current block: our own, or the fixed ones.
    private uint[] _lengthTable = FixedLengthTable;
    private uint[] _distanceTable = FixedDistanceTable;

    private int _lengthCount;
    private int _distanceCount;
    private int _codeLengthCount;
    private int _read;

    /// <summary>Reads one item of the header; false if the input does not suffice, or is corrupt.</summary>
    private bool ReadBlockHeader(ref Cursor cursor)
    {
        switch (_part)
        {
            case Part.FirstBit:
                if (!Need(ref cursor, _firstBit))
                    return false;
                Drop(_firstBit);
                _part = _firstPart;
                return true;
            case Part.BlockHeader:
                return ReadBlockType(ref cursor);
            case Part.StoredLength:
                return ReadStoredLength(ref cursor);
            case Part.CodeCounts:
                return ReadCodeCounts(ref cursor);
            case Part.CodeLengthLengths:
                return ReadCodeLengthLengths(ref cursor);
            default:
                return ReadCodeLengths(ref cursor);
        }
    }

    private bool ReadBlockType(ref Cursor cursor)
    {
        if (!Need(ref cursor, 3))
            return false;
        _isLastBlock = Take(1) != 0;
        cursor.BlockStart = (nint)cursor.Output;
        ReachBytes = 0;
        switch (Take(2))
        {
            case 0:
                Drop(_bitCount & 7);
                _part = Part.StoredLength;
                return true;
            case 1:
                _lengthTable = FixedLengthTable;
                _distanceTable = FixedDistanceTable;
                _part = Part.Symbols;
                return true;
            case 2:
                _lengthTable = _ownLengthTable;
                _distanceTable = _ownDistanceTable;
                _part = Part.CodeCounts;
                return true;
            default:
                return Refuse("invalid block type");
        }
    }

    private bool ReadStoredLength(ref Cursor cursor)
    {
        if (!Need(ref cursor, 32))
            return false;
        var length = Take(16);
        if (Take(16) != (~length & 0xFFFF))
            return Refuse("the lengths of a stored block contradict each other");
        ReturnWholeBytes(ref cursor);
        _storedLeft = (int)length;
        _part = Part.Stored;
        return true;
    }

    private Stop CopyStored(ref Cursor cursor)
    {
        var length = (int)Math.Min(Math.Min(_storedLeft, cursor.InputLeft), Math.Min(cursor.OutputLeft, cursor.PauseLeft));
        // Sound: no more than is left of either.
        Buffer.MemoryCopy(cursor.Input, cursor.Output, cursor.OutputLeft, length);
        cursor.Input += length;
        cursor.Output += length;
        _storedLeft -= length;
        if (_storedLeft == 0)
            return Stop.EndOfBlock;
        if (cursor.PauseLeft == 0)
            return Stop.Paused;
        return cursor.OutputLeft == 0 ? Stop.OutputFull : Stop.NeedInput;
    }

    private bool ReadCodeCounts(ref Cursor cursor)
    {
        if (!Need(ref cursor, 14))
            return false;
        _lengthCount = (int)Take(5) + 257;
        _distanceCount = (int)Take(5) + 1;
        _codeLengthCount = (int)Take(4) + 4;
        if (_lengthCount > LengthCountMax || _distanceCount > DistanceCountMax)
            return Refuse("too many length or distance symbols");
        _lengths.AsSpan(0, CodeLengthCount).Clear();
        _read = 0;
        _part = Part.CodeLengthLengths;
        return true;
    }

    private bool ReadCodeLengthLengths(ref Cursor cursor)
    {
        for (; _read < _codeLengthCount; _read++)
        {
            if (!Need(ref cursor, 3))
                return false;
            _lengths[CodeLengthOrder[_read]] = (byte)Take(3);
        }

        if (!HuffmanTable.TryBuild(
            _lengths.AsSpan(0, CodeLengthCount), CodeLengths, CodeLengthWidth, mayBeIncomplete: false, _codeLengthTable))
            return Refuse("the code of the code lengths is over-subscribed or incomplete");
        _read = 0;
        _part = Part.CodeLengths;
        return true;
    }

    private bool ReadCodeLengths(ref Cursor cursor)
    {
        var count = _lengthCount + _distanceCount;
        while (_read < count)
        {
            var entry = _codeLengthTable[(int)_bits & (CodeLengthTableLength - 1)];
            var needed = (int)(entry & 0x3F);
            if (needed > _bitCount)
            {
                // The entry may be another one when more bits are there.
                if (!NeedOneMore(ref cursor))
                    return false;
                continue;
            }

            var codeLength = (int)(entry >> 8) & 0xF;
            var symbol = (int)(entry >> 16);
            var extra = (int)(_bits & ((1UL << needed) - 1)) >> codeLength;
            if (symbol < RepeatPrevious)
            {
                _lengths[_read++] = (byte)symbol;
                Drop(needed);
                continue;
            }

            if (symbol == RepeatPrevious && _read == 0)
                return Refuse("a code length is repeated that is not there");
            var repeat = extra + (symbol == RepeatZeroLong ? 11 : 3);
            if (repeat > count - _read)
                return Refuse("more code lengths than symbols");
            _lengths.AsSpan(_read, repeat).Fill(symbol == RepeatPrevious ? _lengths[_read - 1] : (byte)0);
            _read += repeat;
            Drop(needed);
        }

        return BuildTables();
    }

    private bool BuildTables()
    {
        if (_lengths[EndOfBlockSymbol] == 0)
            return Refuse("a block without an end");
        if (!HuffmanTable.TryBuild(_lengths.AsSpan(0, _lengthCount), Lengths, LengthWidth, mayBeIncomplete: true, _ownLengthTable))
            return Refuse("the code of the literals and lengths is over-subscribed or incomplete");
        if (!HuffmanTable.TryBuild(
            _lengths.AsSpan(_lengthCount, _distanceCount), Distances, DistanceWidth, mayBeIncomplete: true, _ownDistanceTable))
            return Refuse("the code of the distances is over-subscribed or incomplete");
        _part = Part.Symbols;
        return true;
    }

    private bool Refuse(string error)
    {
        Fail(error);
        return false;
    }

    /// <summary>Sees to it that so many bits (at most 32) are there; false if the input does not have them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Need(ref Cursor cursor, int count)
    {
        while (_bitCount < count)
        {
            if (!NeedOneMore(ref cursor))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Gets at least one bit more. At the end of the input no more than are needed: those before could not be given back.
    /// </summary>
    private bool NeedOneMore(ref Cursor cursor)
    {
        if (cursor.InputLeft >= sizeof(ulong))
        {
            // Sound: eight bytes are there.
            _bits |= Unsafe.ReadUnaligned<ulong>(cursor.Input) << _bitCount;
            cursor.Input += (63 - _bitCount) >> 3;
            _bitCount |= 56;
            return true;
        }

        if (cursor.InputLeft == 0)
            return false;
        // Sound: one byte is there.
        _bits |= (ulong)*cursor.Input++ << _bitCount;
        _bitCount += 8;
        return true;
    }

    private uint Take(int count)
    {
        var bits = (uint)_bits & ((1u << count) - 1);
        Drop(count);
        return bits;
    }

    private void Drop(int count)
    {
        _bits >>= count;
        _bitCount -= count;
    }
}
