using System.Buffers.Binary;
using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Layers.Soci;

// The checkpoints of a gzip layer as they lie in a zTOC (layout: ZtocCheckpoints), read in place. There is no version in
// it; its length tells. Version 2 has every checkpoint. Version 1 leaves the first one out, for which soci then takes
// byte 10, where deflate data starts behind most gzip headers, but not behind those with a file name.
internal readonly ref struct GzipZinfo
{
    private const int HeaderLength = ZtocCheckpoints.HeaderLength;
    private const int CheckpointLength = ZtocCheckpoints.CheckpointLength;

    private readonly ReadOnlySpan<byte> _checkpoints;

    private GzipZinfo(ReadOnlySpan<byte> checkpoints, int count, long spanLength, bool impliesFirst)
    {
        _checkpoints = checkpoints;
        Count = count;
        SpanLength = spanLength;
        ImpliesFirst = impliesFirst;
    }

    /// <summary>The length of the shortest gzip header, and of the one version 1 assumes.</summary>
    public const int ImpliedStart = 10;

    public int Count { get; }

    public long SpanLength { get; }

    public bool ImpliesFirst { get; }

    /// <exception cref="InvalidDataException">The length is not that of so many checkpoints.</exception>
    public static GzipZinfo Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength)
            throw new InvalidDataException($"zTOC, checkpoints: {bytes.Length} bytes, too few for a header");
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var spanLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[sizeof(int)..]);
        if (count is < 1 or > LayerIndexLimits.SpanCountMax)
            throw new InvalidDataException($"zTOC, checkpoints: {count} of them, not 1 to {LayerIndexLimits.SpanCountMax}");
        var impliesFirst = bytes.Length == HeaderLength + (count - 1L) * CheckpointLength;
        if (!impliesFirst && bytes.Length != HeaderLength + (long)count * CheckpointLength)
            throw new InvalidDataException(
                $"zTOC, checkpoints: {bytes.Length} bytes do not hold {count} checkpoints of {CheckpointLength} bytes");
        return new GzipZinfo(bytes[HeaderLength..], count, spanLength, impliesFirst);
    }

    /// <summary>First bit of a checkpoint's block in the blob, and how many bytes of output come before it.</summary>
    /// <exception cref="InvalidDataException">No position in any blob.</exception>
    public (long StartBit, long UncompressedOffset) this[int index]
    {
        get
        {
            if (ImpliesFirst && index == 0)
                return (ImpliedStart * 8, 0);
            var checkpoint = Checkpoint(index);
            var start = BinaryPrimitives.ReadInt64LittleEndian(checkpoint);
            var uncompressedOffset = BinaryPrimitives.ReadInt64LittleEndian(checkpoint[sizeof(long)..]);
            var bits = checkpoint[2 * sizeof(long)];
            if (bits > 7)
                throw new InvalidDataException($"zTOC, checkpoint {index}: {bits} bits of a byte");
            if (start is < ImpliedStart or > LayerIndexLimits.CompressedLengthMax
                || uncompressedOffset is < 0 or > LayerIndexLimits.UncompressedLengthMax)
                throw new InvalidDataException(
                    $"zTOC, checkpoint {index}: compressed offset {start}, uncompressed offset {uncompressedOffset}: in no layer");
            return (start * 8 - bits, uncompressedOffset);
        }
    }

    /// <summary>The 32 KiB before a checkpoint, zeros in front where there was less.</summary>
    public ReadOnlySpan<byte> Window(int index) =>
        ImpliesFirst && index == 0 ? default : Checkpoint(index)[^ZtocCheckpoints.WindowLength..];

    private ReadOnlySpan<byte> Checkpoint(int index) =>
        _checkpoints.Slice((ImpliesFirst ? index - 1 : index) * CheckpointLength, CheckpointLength);
}
