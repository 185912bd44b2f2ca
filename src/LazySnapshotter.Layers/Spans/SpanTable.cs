using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Spans;

// All spans of one layer: where each starts in the blob and in the tar, and the SHA-256 of its compressed bytes.
// Immutable columns; a lookup is a binary search. Offsets rise strictly in the tar and never fall in the blob.
//
// A span is what is fetched and verified. Inflating begins at the first span of a *run*; the other ones of the run are continued:
// they need what comes out of the ones before them.
public sealed class SpanTable
{
    /// <summary>
    /// Of a span, compressed and uncompressed: a reader fetches and verifies it as a whole and holds it in memory. And of a run,
    /// uncompressed: all of it is inflated for its last span.
    /// </summary>
    public const int LengthMax = 64 << 20;

    private readonly long[] _startBits;
    private readonly long[] _uncompressedOffsets;
    private readonly byte[] _digests;
    private readonly int[] _runStarts;

    /// <param name="startBits">Where each span starts in the blob, counted in bits (deflate blocks start at any bit). The first is 0,
    /// or in a
    /// gzip blob the first bit behind the gzip header.</param>
    /// <param name="uncompressedOffsets">Where each span starts in the tar; the first is 0.</param>
    /// <param name="digests">The spans' SHA-256, 32 bytes each, in order.</param>
    /// <param name="areContinued">Which spans go on from the one before; null: none.</param>
    /// <exception cref="InvalidDataException">The columns contradict each other.</exception>
    public SpanTable(
        long[] startBits, long[] uncompressedOffsets, byte[] digests, long compressedLength, long uncompressedLength, bool[]? areContinued =
            null)
    {
        if (startBits.Length == 0
            || startBits.Length != uncompressedOffsets.Length || digests.Length != (long)startBits.Length * SHA256.HashSizeInBytes)
            throw new InvalidDataException(
                $"span table: {startBits.Length} starts, {uncompressedOffsets.Length} offsets, {digests.Length} digest bytes");
        if (startBits[0] < 0 || uncompressedOffsets[0] != 0)
            throw new InvalidDataException("span table: the first span does not start at 0");
        for (var i = 1; i < startBits.Length; i++)
        {
            if (startBits[i] <= startBits[i - 1] || uncompressedOffsets[i] <= uncompressedOffsets[i - 1])
                throw new InvalidDataException($"span table: span {i} does not start after span {i - 1}");
        }

        if (startBits[^1] / 8 >= compressedLength || uncompressedOffsets[^1] > uncompressedLength)
            throw new InvalidDataException($"span table: span {startBits.Length - 1} starts behind the end of the layer");

        _startBits = startBits;
        _uncompressedOffsets = uncompressedOffsets;
        _digests = digests;
        CompressedLength = compressedLength;
        UncompressedLength = uncompressedLength;
        _runStarts = FindRuns(areContinued ?? new bool[startBits.Length]);
        CheckLengths();
    }

    public int Count => _startBits.Length;

    /// <summary>Length of the blob.</summary>
    public long CompressedLength { get; }

    /// <summary>Length of the tar.</summary>
    public long UncompressedLength { get; }

    public LayerSpan this[SpanId id]
    {
        get
        {
            var i = id.Value;
            var last = i == Count - 1;
            var compressedOffset = _startBits[i] / 8;
            var compressedEnd = last ? CompressedLength : (_startBits[i + 1] + 7) / 8;
            return new LayerSpan(id, compressedOffset, compressedEnd - compressedOffset, _uncompressedOffsets[i], UncompressedEnd(
                i) - _uncompressedOffsets[i]);
        }
    }

    /// <summary>The span needs what comes out of the one before it.</summary>
    public bool IsContinued(SpanId id) => _runStarts[id.Value] != id.Value;

    /// <summary>There is a next span, and it needs what comes out of this one.</summary>
    public bool IsContinuedBehind(SpanId id) => id.Value + 1 < Count && IsContinued(new SpanId(id.Value + 1));

    /// <summary>The first span of the run: where inflating has to begin to get this one.</summary>
    public SpanId RunStart(SpanId id) => new(_runStarts[id.Value]);

    /// <summary>How many bits of the span's first byte belong to its predecessor (0 to 7).</summary>
    public int BitOffset(SpanId id) => (int)(_startBits[id.Value] & 7);

    /// <summary>The bit at which the span starts in the blob.</summary>
    public long StartBit(SpanId id) => _startBits[id.Value];

    /// <summary>SHA-256 of the span's compressed bytes, shared boundary bytes included.</summary>
    public ReadOnlySpan<byte> DigestOf(SpanId id) => _digests.AsSpan(id.Value * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);

    /// <summary>The span that holds an uncompressed offset.</summary>
    public SpanId Find(long uncompressedOffset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(uncompressedOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(uncompressedOffset, UncompressedLength);
        var found = Array.BinarySearch(_uncompressedOffsets, uncompressedOffset);
        return new SpanId(found >= 0 ? found : ~found - 1);
    }

    private int[] FindRuns(bool[] areContinued)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(areContinued.Length, Count);
        if (areContinued[0])
            throw new InvalidDataException("span table: there is nothing that the first span could go on from");
        var runStarts = new int[Count];
        for (var i = 1; i < Count; i++)
            runStarts[i] = areContinued[i] ? runStarts[i - 1] : i;
        return runStarts;
    }

    private void CheckLengths()
    {
        for (var i = 0; i < Count; i++)
        {
            var span = this[new SpanId(i)];
            if (span.CompressedLength > LengthMax || span.UncompressedLength > LengthMax)
                throw new InvalidDataException(
                    $"span table: span {i} has {span.CompressedLength} bytes for {span.UncompressedLength}, the limit is {LengthMax}");
            if (span.UncompressedEnd - _uncompressedOffsets[_runStarts[i]] > LengthMax)
                throw new InvalidDataException(
                    $"span table: span {i} goes on from span {_runStarts[i]}, more than {LengthMax} bytes before its end");
        }
    }

    private long UncompressedEnd(int span) => span == Count - 1 ? UncompressedLength : _uncompressedOffsets[span + 1];
}
