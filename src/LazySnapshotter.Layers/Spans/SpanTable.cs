using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Spans;

// All spans of one layer: where each starts in the blob and in the tar, and the SHA-256 of its compressed bytes.
// Immutable columns; a lookup is a binary search. Offsets rise strictly in the tar and never fall in the blob.
public sealed class SpanTable
{
    private readonly long[] _startBits;
    private readonly long[] _uncompressedOffsets;
    private readonly byte[] _digests;

    /// <param name="startBits">Where each span starts in the blob, counted in bits (deflate blocks start at any bit). The first is 0, or in a
    /// gzip blob the first bit behind the gzip header.</param>
    /// <param name="uncompressedOffsets">Where each span starts in the tar; the first is 0.</param>
    /// <param name="digests">The spans' SHA-256, 32 bytes each, in order.</param>
    /// <exception cref="InvalidDataException">The columns contradict each other.</exception>
    public SpanTable(long[] startBits, long[] uncompressedOffsets, byte[] digests, long compressedLength, long uncompressedLength)
    {
        if (startBits.Length == 0 || startBits.Length != uncompressedOffsets.Length || digests.Length != (long)startBits.Length * SHA256.HashSizeInBytes)
            throw new InvalidDataException($"span table: {startBits.Length} starts, {uncompressedOffsets.Length} offsets, {digests.Length} digest bytes");
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
            var uncompressedEnd = last ? UncompressedLength : _uncompressedOffsets[i + 1];
            return new LayerSpan(id, compressedOffset, compressedEnd - compressedOffset, _uncompressedOffsets[i], uncompressedEnd - _uncompressedOffsets[i]);
        }
    }

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
}
