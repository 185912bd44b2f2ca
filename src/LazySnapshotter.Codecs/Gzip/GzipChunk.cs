using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Codecs.Gzip;

// A piece of a blob's uncompressed bytes and what happened between them: what GzipReader hands over, and GzipChecker and GzipTeller take.
// Before its output lie the 32 KiB that came before, so that the inflater finds its history and every checkpoint its
// window in one place. Where there is no such output, at the start of the layer, there are zeros.
//
//   | history, 32 KiB | output .......... | free |
//   ^ UncompressedOffset - 32 KiB         ^ UncompressedOffset + Length
internal sealed class GzipChunk
{
    public const int HistoryLength = Inflater.WindowLengthMax;

    /// <summary>Small enough to stay in a CPU's cache on its way to another thread.</summary>
    public const int OutputLengthMax = 512 * 1024;

    public byte[] Buffer { get; } = new byte[HistoryLength + OutputLengthMax];

    public List<GzipEvent> Events { get; } = [];

    /// <summary>Where the output starts in the tar.</summary>
    public long UncompressedOffset { get; private set; }

    /// <summary>How much output there is.</summary>
    public int Length { get; set; }

    public long UncompressedEnd => UncompressedOffset + Length;

    /// <summary>How much of the blob was read when the chunk was done.</summary>
    public long CompressedEnd { get; set; }

    public ReadOnlySpan<byte> Output => Buffer.AsSpan(HistoryLength, Length);

    /// <summary>The 32 KiB before a place in the output.</summary>
    public ReadOnlySpan<byte> WindowAt(long uncompressedOffset) =>
        Buffer.AsSpan(checked((int)(uncompressedOffset - UncompressedOffset)), HistoryLength);

    /// <summary>Empties the chunk; its output will follow that of another one, or nothing.</summary>
    public void Follow(GzipChunk? previous)
    {
        Events.Clear();
        Length = 0;
        CompressedEnd = 0;
        UncompressedOffset = previous?.UncompressedEnd ?? 0;
        var history = Buffer.AsSpan(0, HistoryLength);
        if (previous is null)
            history.Clear();
        else
            previous.WindowAt(previous.UncompressedEnd).CopyTo(history);
    }
}
