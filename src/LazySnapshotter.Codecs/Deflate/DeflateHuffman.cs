using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LazySnapshotter.Codecs.Deflate;

// Code lengths for a Huffman code of limited length, and the codes that follow from them (RFC 1951, section 3.2.2).
// Integers only, and no two symbols ever compare equal: the same frequencies give the same code everywhere.
internal static class DeflateHuffman
{
    public const int CodeLengthMax = 15;

    private const int SymbolBits = 9; // there are 288 at most

    /// <param name="lengths">Gets 0 for a symbol that does not occur. At least two symbols get a code: some decoders insist.</param>
    /// <param name="limit">The longest code allowed; 2^limit is at least the number of symbols.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BuildLengths(ReadOnlySpan<int> frequencies, Span<byte> lengths, int limit)
    {
        Span<ulong> sorted = stackalloc ulong[frequencies.Length];
        var count = 0;
        for (var symbol = 0; symbol < frequencies.Length; symbol++)
        {
            if (frequencies[symbol] > 0)
                sorted[count++] = (ulong)frequencies[symbol] << SymbolBits | (uint)symbol;
        }

        for (var symbol = 0; count < 2; symbol++)
        {
            if (frequencies[symbol] == 0)
                sorted[count++] = 1UL << SymbolBits | (uint)symbol;
        }

        sorted = sorted[..count];
        sorted.Sort();
        Span<int> countOf = stackalloc int[limit + 1];
        countOf.Clear();
        CountDepths(sorted, countOf);
        Limit(countOf);

        // The rarest symbols get the longest codes.
        lengths.Clear();
        var next = 0;
        for (var length = limit; length > 0; length--)
        {
            for (var i = countOf[length]; i > 0; i--)
                lengths[(int)(sorted[next++] & ((1 << SymbolBits) - 1))] = (byte)length;
        }
    }

    /// <summary>The codes of given lengths, bits reversed: deflate sends a code's first bit first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BuildCodes(ReadOnlySpan<byte> lengths, Span<ushort> codes)
    {
        Span<int> countOf = stackalloc int[CodeLengthMax + 1];
        countOf.Clear();
        foreach (var length in lengths)
            countOf[length]++;

        countOf[0] = 0;
        Span<int> next = stackalloc int[CodeLengthMax + 1];
        var code = 0;
        for (var length = 1; length <= CodeLengthMax; length++)
        {
            code = (code + countOf[length - 1]) << 1;
            next[length] = code;
        }

        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] > 0)
                codes[symbol] = Reverse(next[lengths[symbol]]++, lengths[symbol]);
        }
    }

    /// <summary>How many codes of each length Huffman's tree has; what is deeper than the limit counts as at the limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CountDepths(ReadOnlySpan<ulong> sorted, Span<int> countOf)
    {
        // Two queues: leaves in order, and inner nodes, which come into being in order. A node's parent has a higher number.
        var count = sorted.Length;
        Span<ulong> weights = stackalloc ulong[count - 1];
        Span<ushort> parents = stackalloc ushort[count - 1];
        Span<ushort> leafParents = stackalloc ushort[count];
        int leaf = 0, inner = 0;
        for (var node = 0; node < count - 1; node++)
        {
            weights[node] = 0;
            for (var child = 0; child < 2; child++)
            {
                if (inner == node || (leaf < count && sorted[leaf] >> SymbolBits <= weights[inner]))
                {
                    weights[node] += sorted[leaf] >> SymbolBits;
                    leafParents[leaf++] = (ushort)node;
                }
                else
                {
                    weights[node] += weights[inner];
                    parents[inner++] = (ushort)node;
                }
            }
        }

        Span<ushort> depths = stackalloc ushort[count - 1];
        depths[count - 2] = 0;
        for (var node = count - 3; node >= 0; node--)
            depths[node] = (ushort)(depths[parents[node]] + 1);
        foreach (var parent in leafParents)
            countOf[Math.Min(depths[parent] + 1, countOf.Length - 1)]++;
    }

    /// <summary>Makes the code lengths possible again (Kraft's sum is 1), at the least cost there is without starting over.</summary>
    private static void Limit(Span<int> countOf)
    {
        var limit = countOf.Length - 1;
        var sum = 0;
        for (var length = 1; length <= limit; length++)
            sum += countOf[length] << (limit - length);
        for (; sum > 1 << limit; sum--)
        {
            // A leaf at the limit moves up beside a shorter one, which goes down a level to make room.
            countOf[limit]--;
            var length = limit - 1;
            while (countOf[length] == 0)
                length--;
            countOf[length]--;
            countOf[length + 1] += 2;
        }

        Debug.Assert(sum == 1 << limit);
    }

    private static ushort Reverse(int code, int length)
    {
        var reversed = 0;
        for (; length > 0; length--, code >>= 1)
            reversed = reversed << 1 | (code & 1);
        return (ushort)reversed;
    }
}
