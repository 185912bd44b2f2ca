namespace LazySnapshotter.Layers.Gzip;

// Who listens to a GzipScanner: gets the uncompressed bytes in order and hears of every place where inflating could
// start again, in the order in which they pass.
internal interface IGzipSink
{
    void Uncompressed(ReadOnlySpan<byte> bytes);

    /// <summary>A deflate block starts at a bit of the blob, where so many bytes are uncompressed.</summary>
    /// <param name="isMemberStart">Whether a gzip member starts here, whose blocks refer to nothing before it.</param>
    void BlockStart(long startBit, long uncompressedOffset, bool isMemberStart);
}
