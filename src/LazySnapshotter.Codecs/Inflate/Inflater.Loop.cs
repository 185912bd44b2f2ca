using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static LazySnapshotter.Codecs.Inflate.DeflateCodes;
using static LazySnapshotter.Codecs.Inflate.HuffmanTable;

namespace LazySnapshotter.Codecs.Inflate;

// The hot loop. It runs while a round can neither read past the input nor write past the limit, whatever the bits say, so
// that a round tests nothing of the kind. Everything is in locals: the compiler keeps them in registers.
//
// One round: up to three literals, or up to two and a match (or one symbol, where it matters at which one the loop ends). A
// refill leaves at least 56 bits, which pay for two literals (2 x 11 bits), a length with its extra bits (20) and looking a
// distance up (8); for its own bits, and for looking the next symbol up, another refill is needed at times. That look-up comes
// before the match is copied and before the round's refill: it is what everything waits for.
internal sealed unsafe partial class Inflater
{
    private interface ITracking;

    private readonly struct Untracked : ITracking;

    private readonly struct ReachTracked : ITracking;

    private readonly struct ReferencesTracked : ITracking;

    private interface IRound;

    private readonly struct ManySymbols : IRound;

    private readonly struct OneSymbol : IRound;

    /// <summary>
    /// Four refills (the first round's own, two for a distance, one at the end), each of which reads 8 bytes and uses at most 7.
    /// </summary>
    private const int FastInputMargin = 32;

    /// <summary>Two literals, a match, and what wide copies write beyond it.</summary>
    private const int FastOutputMargin = 2 + MatchLengthMax + 2 * CopyWidth;

    private const int CopyWidth = 16;

    private const int DistanceExtraBitsMax = 13;

    /// <summary>
    /// Decodes until the block ends, or near the end of input or room, or near the pause (null); counting reach, also where no match
    /// can reach out of the block. With a symbol a round: not near the pause but to it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Stop? DecodeFast<TTracking, TRound>(ref Cursor cursor)
        where TTracking : struct, ITracking
        where TRound : struct, IRound
    {
        Stop? result = null;
        string? error = null;
        var reach = 0L;
        var blockStart = cursor.BlockStart;
        var buffer = cursor.Buffer;
        var input = cursor.Input;
        var inputEnd = cursor.InputEnd - FastInputMargin;
        var output = cursor.Output;
        var outputEnd = (cursor.PauseAt < cursor.OutputLimit ? cursor.PauseAt : cursor.OutputLimit) - FastOutputMargin;
        if (typeof(TRound) == typeof(OneSymbol))
            outputEnd = cursor.PauseAt - 1 < cursor.OutputLimit - FastOutputMargin
                ? cursor.PauseAt - 1
                : cursor.OutputLimit - FastOutputMargin;
        if (typeof(TTracking) == typeof(ReachTracked)
            && typeof(TRound) == typeof(ManySymbols) && blockStart + WindowLengthMax - 1 < (nint)outputEnd)
            outputEnd = (byte*)(blockStart + WindowLengthMax - 1);
        var bits = _bits;
        var bitCount = (uint)_bitCount; // only the low byte counts; an entry is subtracted as a whole

        // Sound: the tables are pinned; an index is less than 2^width, and a subtable's is within the subtable that the
        // table's builder made. Input and output are bounded by the margins, sources by the test of the distance.
        fixed (uint* lengthTable = _lengthTable)
        fixed (uint* distanceTable = _distanceTable)
        {
            bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
            input += (63 - bitCount) >> 3;
            bitCount |= 56;
            var entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
            do
            {
                if ((int)entry < 0)
                {
                    bits >>= (int)entry;
                    bitCount -= entry;
                    *output++ = (byte)(entry >> 16);
                    if (typeof(TRound) == typeof(OneSymbol))
                    {
                        bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                        input += ((uint)(byte)bitCount ^ 63) >> 3;
                        bitCount |= 56;
                        entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                        continue;
                    }

                    entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                    if ((int)entry < 0)
                    {
                        bits >>= (int)entry;
                        bitCount -= entry;
                        *output++ = (byte)(entry >> 16);
                        entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                        if ((int)entry < 0)
                        {
                            bits >>= (int)entry;
                            bitCount -= entry;
                            *output++ = (byte)(entry >> 16);
                            bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                            input += ((uint)(byte)bitCount ^ 63) >> 3;
                            bitCount |= 56;
                            entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                            continue;
                        }
                    }
                }

                var saved = bits;
                bits >>= (int)entry;
                bitCount -= entry;
                if ((entry & Exceptional) != 0)
                {
                    if ((entry & (EndOfBlock | Invalid)) == Exceptional)
                    {
                        entry = lengthTable[(entry >> 16) + LowBits(bits, entry >> 8 & 0xF)];
                        saved = bits;
                        bits >>= (int)entry;
                        bitCount -= entry;
                        if ((int)entry < 0)
                        {
                            *output++ = (byte)(entry >> 16);
                            bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                            input += ((uint)(byte)bitCount ^ 63) >> 3;
                            bitCount |= 56;
                            entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                            continue;
                        }
                    }

                    if ((entry & Exceptional) != 0)
                    {
                        result = Stop.EndOfBlock;
                        if ((entry & EndOfBlock) != EndOfBlock)
                            error = "invalid literal or length code";
                        break;
                    }
                }

                var length = (entry >> 16) + (uint)(LowBits(saved, entry) >> (int)(entry >> 8));

                entry = distanceTable[bits & ((1 << DistanceWidth) - 1)];
                if ((byte)bitCount < DistanceWidth + DistanceExtraBitsMax + LengthWidth)
                {
                    bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                    input += ((uint)(byte)bitCount ^ 63) >> 3;
                    bitCount |= 56;
                }

                if ((entry & Exceptional) != 0)
                {
                    if ((entry & Invalid) != Invalid)
                    {
                        if ((byte)bitCount < CodeLengthMax + DistanceExtraBitsMax + LengthWidth)
                        {
                            bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                            input += ((uint)(byte)bitCount ^ 63) >> 3;
                            bitCount |= 56;
                        }

                        bits >>= DistanceWidth;
                        bitCount -= DistanceWidth;
                        entry = distanceTable[(entry >> 16) + LowBits(bits, entry >> 8 & 0xF)];
                    }

                    if ((entry & Exceptional) != 0)
                    {
                        error = "invalid distance code";
                        break;
                    }
                }

                saved = bits;
                bits >>= (int)entry;
                bitCount -= entry;
                nuint distance = (entry >> 16) + (uint)(LowBits(saved, entry) >> (int)(entry >> 8));
                if (distance > (nuint)(output - buffer))
                {
                    error = "a distance goes too far back";
                    break;
                }

                entry = lengthTable[bits & ((1 << LengthWidth) - 1)];
                bits |= Unsafe.ReadUnaligned<ulong>(input) << (int)bitCount;
                input += ((uint)(byte)bitCount ^ 63) >> 3;
                bitCount |= 56;

                var source = output - distance;
                if (typeof(TTracking) == typeof(ReachTracked))
                    reach += ReachOf(blockStart - (nint)source, length);
                if (typeof(TTracking) == typeof(ReferencesTracked))
                    MarkReferences(ref cursor, source, (int)length);

                var matchEnd = output + length;
                if (distance >= CopyWidth)
                {
                    Vector128.Store(Vector128.Load(source), output);
                    Vector128.Store(Vector128.Load(source + CopyWidth), output + CopyWidth);
                    while (length > 2 * CopyWidth)
                    {
                        source += 2 * CopyWidth;
                        output += 2 * CopyWidth;
                        Vector128.Store(Vector128.Load(source), output);
                        Vector128.Store(Vector128.Load(source + CopyWidth), output + CopyWidth);
                        length -= 2 * CopyWidth;
                    }
                }
                else
                {
                    CopyPattern(output, source, distance, matchEnd);
                }

                output = matchEnd;
            }
            while (input <= inputEnd && output <= outputEnd);
        }

        cursor.Input = input;
        cursor.Output = output;
        _bits = bits;
        _bitCount = (int)(bitCount & 63);
        ReachBytes += reach;
        ReturnWholeBytes(ref cursor);
        return error is null ? result : Fail(error);
    }

    /// <summary>
    /// How many bytes of a match lie before the block, of which it starts so many bytes before. By sign bits: Math.Min and Math.Max
    /// become branches in a loop, and these go either way at random.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long ReachOf(long before, long length)
    {
        var less = before - length;
        var reach = (less & (less >> 63)) + length;
        return reach & ~(reach >> 63);
    }

    /// <summary>The lowest bits; only the low byte of the count counts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LowBits(ulong bits, uint count) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.ZeroHighBits(bits, count) : bits & ((1UL << (int)count) - 1);

    // For a distance below 16: where each of 16 output bytes comes from, and how far the next 16 are to start so that they
    // are the same (the most whole repetitions that 16 bytes hold).
    private static ReadOnlySpan<byte> PatternIndexes =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // no distance
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
        0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0,
        0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0,
        0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
    ];

    private static ReadOnlySpan<byte> PatternSteps => [16, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>
    /// A match that overlaps itself within 16 bytes: its first bytes, again and again. Writes up to 15 bytes behind its end.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyPattern(byte* output, byte* source, nuint distance, byte* end)
    {
        // Sound: the caller's distance is below 16, and 32 bytes behind the match's end are inside the limit.
        var indexes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(PatternIndexes), distance * CopyWidth);
        var step = Unsafe.Add(ref MemoryMarshal.GetReference(PatternSteps), distance);
        var pattern = Vector128.ShuffleNative(Vector128.Load(source), indexes);
        do
        {
            Vector128.Store(pattern, output);
            output += step;
        }
        while (output < end);
    }
}
