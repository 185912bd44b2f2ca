using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Build;

// The last bytes of a blob that streams by, as far back as they are needed: where a span ends, and how a checkpoint's
// first blocks use their window, is known only some megabytes later.
internal sealed class BlobTail(Recycler<BlobChunk> recycler)
{
    private readonly Queue<BlobChunk> _chunks = new();

    public long CompressedEnd { get; private set; }

    public void Add(BlobChunk chunk)
    {
        _chunks.Enqueue(chunk);
        CompressedEnd = chunk.CompressedEnd;
    }

    /// <summary>Forgets what lies before an offset.</summary>
    public void Release(long compressedOffset)
    {
        while (_chunks.TryPeek(out var chunk) && chunk.CompressedEnd <= compressedOffset)
            recycler.Return(_chunks.Dequeue());
    }

    /// <summary>Forgets everything, and the buffers too.</summary>
    public void Clear()
    {
        _chunks.Clear();
        recycler.Clear();
    }

    /// <summary>Copies what is there from an offset on; returns how much that is.</summary>
    public int Copy(long compressedOffset, Span<byte> destination)
    {
        var copied = 0;
        foreach (var chunk in _chunks)
        {
            var offset = compressedOffset + copied - chunk.CompressedOffset;
            if (offset >= chunk.Length)
                continue;
            var bytes = chunk.Bytes[(int)offset..];
            bytes = bytes[..Math.Min(bytes.Length, destination.Length - copied)];
            bytes.CopyTo(destination[copied..]);
            copied += bytes.Length;
            if (copied == destination.Length)
                break;
        }

        return copied;
    }

    public void Hash(IncrementalHash hash, long start, long end)
    {
        foreach (var chunk in _chunks)
        {
            var from = Math.Max(start - chunk.CompressedOffset, 0);
            var to = Math.Min(end - chunk.CompressedOffset, chunk.Length);
            if (to <= 0)
                break;
            if (from < to)
                hash.AppendData(chunk.Buffer, (int)from, (int)(to - from));
        }
    }
}
