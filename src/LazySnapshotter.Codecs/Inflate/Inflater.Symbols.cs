using static LazySnapshotter.Codecs.Inflate.DeflateCodes;
using static LazySnapshotter.Codecs.Inflate.HuffmanTable;

namespace LazySnapshotter.Codecs.Inflate;

// The symbols of a compressed block (RFC 1951, section 3.2.3): by the fast loop while there is plenty of input and room,
// and near the end of either one by one, where each is used only when all of its bits are there.
internal sealed unsafe partial class Inflater
{
    private Stop DecodeSymbols(ref Cursor cursor)
    {
        while (true)
        {
            if (_matchLeft > 0 && !CopyMatch(ref cursor))
                return Stop.OutputFull;
            if (cursor.PauseLeft == 0)
                return Stop.Paused;

            if (cursor.InputLeft >= FastInputMargin && cursor.OutputLeft >= FastOutputMargin
                && (cursor.PauseLeft >= FastOutputMargin || _tracking == Tracking.Reach))
            {
                var stop = _tracking switch
                {
                    Tracking.None => DecodeFast<Untracked, ManySymbols>(ref cursor),
                    Tracking.Reach => DecodeFastCountingReach(ref cursor),
                    _ => DecodeFast<ReferencesTracked, ManySymbols>(ref cursor),
                };
                if (stop is { } end)
                    return end;
                if (cursor.PauseLeft == 0)
                    return Stop.Paused;
            }

            if (DecodeSymbol(ref cursor) is { } other)
                return other;
        }
    }

    // Behind the first 32 KiB of a block no match reaches what is before it: there the loop that counts nothing does. Whoever
    // counts pauses often, so the way to a pause is worth a loop too.
    private Stop? DecodeFastCountingReach(ref Cursor cursor)
    {
        if (cursor.PauseLeft < FastOutputMargin)
            return DecodeFast<ReachTracked, OneSymbol>(ref cursor);
        if (cursor.ProducedInBlock >= WindowLengthMax)
            return DecodeFast<Untracked, ManySymbols>(ref cursor);
        var stop = DecodeFast<ReachTracked, ManySymbols>(ref cursor);
        return stop is null && cursor.ProducedInBlock >= WindowLengthMax && cursor.InputLeft >= FastInputMargin
            && cursor.OutputLeft >= FastOutputMargin && cursor.PauseLeft >= FastOutputMargin
            ? DecodeFast<Untracked, ManySymbols>(ref cursor)
            : stop;
    }

    /// <summary>One literal, or the start of one match; null if the block goes on.</summary>
    private Stop? DecodeSymbol(ref Cursor cursor)
    {
        while (true)
        {
            var entry = Find(_lengthTable, LengthWidth, _bits, out var codeBits);
            var used = codeBits + (int)(entry & 0x3F);
            if (used > _bitCount)
            {
                // Perhaps another entry when more bits are there.
                if (!NeedOneMore(ref cursor))
                    return Stop.NeedInput;
                continue;
            }

            if ((entry & Exceptional) != 0 && (entry & Literal) == 0)
            {
                Drop(used);
                return (entry & EndOfBlock) == EndOfBlock ? Stop.EndOfBlock : Fail("invalid literal or length code");
            }

            if (cursor.OutputLeft == 0)
                return Stop.OutputFull;
            if ((entry & Literal) != 0)
            {
                *cursor.Output++ = (byte)(entry >> 16);
                Drop(used);
                return null;
            }

            var length = Value(entry, _bits >> codeBits);
            entry = Find(_distanceTable, DistanceWidth, _bits >> used, out codeBits);
            var distanceStart = used + codeBits;
            used = distanceStart + (int)(entry & 0x3F);
            if (used > _bitCount)
            {
                if (!NeedOneMore(ref cursor))
                    return Stop.NeedInput;
                continue;
            }

            if ((entry & Exceptional) != 0)
                return Fail("invalid distance code");
            var distance = Value(entry, _bits >> distanceStart);
            if (distance > cursor.Output - cursor.Buffer)
                return Fail("a distance goes too far back");
            Drop(used);
            _matchLeft = length;
            _matchDistance = distance;
            return null;
        }
    }

    /// <summary>The entry for the next bits, which need not all be there; of a subtable, if the code is that long.</summary>
    private static uint Find(uint[] table, int width, ulong bits, out int codeBits)
    {
        var entry = table[(int)bits & ((1 << width) - 1)];
        codeBits = 0;
        if ((entry & (Literal | EndOfBlock | Invalid)) == Exceptional)
        {
            codeBits = width;
            var index = (int)(bits >> width) & ((1 << (int)(entry >> 8 & 0xF)) - 1);
            entry = table[(int)(entry >> 16) + index];
        }

        return entry;
    }

    private static int Value(uint entry, ulong bits) =>
        (int)(entry >> 16) + (int)((bits & ((1UL << (int)entry) - 1)) >> (int)(entry >> 8 & 0xF));

    /// <summary>Copies as much of a match as there is room for; whether that was all.</summary>
    private bool CopyMatch(ref Cursor cursor)
    {
        // The history may be another buffer's since the distance was checked.
        var length = (int)Math.Min(_matchLeft, cursor.OutputLeft);
        if (length > 0 && _matchDistance > cursor.Output - cursor.Buffer)
            throw new ArgumentException("the buffer holds less history than the call before");
        Track(ref cursor, cursor.Output - _matchDistance, length);
        for (var i = 0; i < length; i++, cursor.Output++)
            *cursor.Output = *(cursor.Output - _matchDistance);
        _matchLeft -= length;
        return _matchLeft == 0;
    }

    private void Track(ref Cursor cursor, byte* source, int length)
    {
        if (_tracking == Tracking.Reach)
            ReachBytes += Math.Clamp(cursor.BlockStart - (nint)source, 0, length);
        else if (_tracking == Tracking.References)
            MarkReferences(ref cursor, source, length);
    }
}
