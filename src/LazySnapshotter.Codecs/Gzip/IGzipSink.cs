namespace LazySnapshotter.Codecs.Gzip;

// Who listens to what a gzip blob unpacks to: gets the uncompressed bytes in order and hears of every place where
// inflating could start again, in the order in which they pass.
internal interface IGzipSink
{
    void Uncompressed(ReadOnlySpan<byte> bytes);

    /// <summary>A deflate block starts at a bit of the blob, where so many bytes are uncompressed.</summary>
    /// <param name="isMemberStart">Nothing before it can be referred to: no window is needed.</param>
    void BlockStart(long startBit, long uncompressedOffset, bool isMemberStart);

    /// <summary>Inside a block, a symbol has ended before this bit of the blob: whoever has the block's codes can go on there.</summary>
    void Mark(long startBit, long uncompressedOffset)
    {
    }

    /// <summary>The block that started last has ended, its bytes have been told.</summary>
    /// <param name="reachBytes">How many bytes of it are copies from before it; 0 where that is not counted.</param>
    void BlockEnd(long reachBytes)
    {
    }
}
