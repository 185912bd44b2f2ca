namespace LazySnapshotter.Layers.Build;

// A piece of a blob on its way through a build. All but the last are full, however the bytes arrived.
internal sealed class BlobChunk
{
    public const int LengthMax = 256 * 1024;

    public byte[] Buffer { get; } = new byte[LengthMax];

    public long CompressedOffset { get; set; }

    public int Length { get; set; }

    public long CompressedEnd => CompressedOffset + Length;

    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);
}
