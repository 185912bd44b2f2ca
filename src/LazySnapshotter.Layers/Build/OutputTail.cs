using LazySnapshotter.Codecs.Gzip;

namespace LazySnapshotter.Layers.Build;

// The last uncompressed bytes of a layer that streams by, as far back as a checkpoint may still be chosen: its window is
// taken from here.
internal sealed class OutputTail(Recycler<GzipChunk> recycler)
{
    private readonly Queue<GzipChunk> _chunks = new();

    public void Add(GzipChunk chunk) => _chunks.Enqueue(chunk);

    /// <summary>The 32 KiB before an offset; zeros where the layer has not started yet.</summary>
    public ReadOnlySpan<byte> WindowAt(long uncompressedOffset) =>
        _chunks.First(chunk => chunk.UncompressedEnd >= uncompressedOffset).WindowAt(uncompressedOffset);

    /// <summary>Forgets what no window at or behind an offset needs.</summary>
    public void Release(long uncompressedOffset)
    {
        while (_chunks.TryPeek(out var chunk) && chunk.UncompressedEnd < uncompressedOffset)
            recycler.Return(_chunks.Dequeue());
    }

    /// <summary>Forgets everything, and the buffers too.</summary>
    public void Clear()
    {
        _chunks.Clear();
        recycler.Clear();
    }
}
