using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Build;

// Tells from a blob's first bytes what it is. Media types lie often enough that containerd, too, looks at the bytes.
internal static class LayerFormat
{
    /// <summary>How many bytes it takes, unless the blob has fewer.</summary>
    public const int ProbeLength = TarHeaderBlock.Length;

    /// <exception cref="UnsupportedLayerException">A compression we cannot read lazily.</exception>
    /// <exception cref="InvalidDataException">No layer at all.</exception>
    public static LayerCompression Detect(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return LayerCompression.Gzip;
        if (start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            throw new UnsupportedLayerException("the layer is zstd-compressed; only gzip and uncompressed layers can be read lazily");
        if (start.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
            throw new UnsupportedLayerException("the layer is xz-compressed; only gzip and uncompressed layers can be read lazily");
        if (start.StartsWith("BZh"u8))
            throw new UnsupportedLayerException("the layer is bzip2-compressed; only gzip and uncompressed layers can be read lazily");

        if (start.IsEmpty)
            throw new InvalidDataException("the layer is empty: not even a gzip header or a tar block");
        if (start.Length >= TarHeaderBlock.Length)
        {
            var block = new TarHeaderBlock(start);
            if (block.IsZero || block.HasValidChecksum)
                return LayerCompression.None;
        }

        var shown = Convert.ToHexStringLower(start[..Math.Min(start.Length, 8)]);
        throw new InvalidDataException($"the layer is neither gzip nor tar: it starts with {shown}");
    }
}
