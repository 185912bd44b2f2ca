using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;

namespace LazySnapshotter.Layers.Build;

// Makes the windows of chosen checkpoints: what lies behind one is inflated once more, as far as it can refer to the
// window, and only what it does refer to is kept. So a window is made when that much output has come.
internal sealed class SparseWindows(BlobTail blob, OutputTail output, WindowSpool spool)
{
    /// <summary>
    /// As much of the blob as is looked at: what 32 KiB of output take if nothing in them repeats, and room for blocks that
    /// have none. If it is not enough all of the window is kept.
    /// </summary>
    private const int CompressedLengthMax = 96 * 1024;

    private readonly Queue<Checkpoint> _waiting = new();
    private readonly byte[] _compressed = new byte[CompressedLengthMax];
    private readonly ulong[] _referenced = new ulong[WindowEncoding.ReferencedWords];

    /// <summary>The first checkpoint whose window is not made.</summary>
    public Checkpoint? Waiting => _waiting.TryPeek(out var first) ? first : null;

    public void Add(in Checkpoint checkpoint) => _waiting.Enqueue(checkpoint);

    /// <summary>Makes the windows of checkpoints behind which enough output has come, or which can wait no longer.</summary>
    /// <param name="compressedOffset">What starts before this byte of the blob waits no longer.</param>
    public void Make(long uncompressedEnd, long compressedOffset)
    {
        while (_waiting.TryPeek(out var checkpoint)
            && (!checkpoint.NeedsWindow || checkpoint.UncompressedOffset + WindowEncoding.WindowLengthMax <= uncompressedEnd
                || checkpoint.CompressedOffset < compressedOffset))
        {
            spool.Add(checkpoint.NeedsWindow ? Encode(checkpoint) : []);
            _waiting.Dequeue();
        }
    }

    private byte[] Encode(in Checkpoint checkpoint)
    {
        var compressed = _compressed.AsSpan(0, blob.Copy(checkpoint.CompressedOffset, _compressed));
        var window = output.WindowAt(checkpoint.UncompressedOffset);
        Array.Clear(_referenced);
        var isMarked = WindowMarker.Mark(compressed, (int)(checkpoint.StartBit & 7), window, _referenced);
        return WindowEncoding.Encode(window, isMarked ? _referenced : WindowEncoding.AllReferenced);
    }
}
