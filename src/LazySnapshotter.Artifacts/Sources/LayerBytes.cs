namespace LazySnapshotter.Artifacts.Sources;

// What bytes on disk are compressed with: archives carry no media types.
internal static class LayerBytes
{
    /// <returns><c>gzip</c>, <c>zstd</c>, <c>xz</c>, <c>bzip2</c>, or null for anything else.</returns>
    public static string? CompressionOf(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip"
        : start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
        : start.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X']) ? "xz"
        : start.StartsWith("BZh"u8) ? "bzip2"
        : null;
}
