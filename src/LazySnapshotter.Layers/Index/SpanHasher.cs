using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Index;

// Computes the SHA-256 of every span of a blob, some way behind the bytes as they pass: where a span ends is decided
// late, and the byte on a border belongs to both spans.
internal sealed class SpanHasher(BlobTail tail) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _digests = new();

    /// <summary>What lies before is not needed any more.</summary>
    public long CompressedOffset { get; private set; }

    /// <summary>No span will start before this byte any more.</summary>
    public void Settle(long compressedOffset)
    {
        if (compressedOffset <= CompressedOffset)
            return;
        tail.Hash(_hash, CompressedOffset, compressedOffset);
        CompressedOffset = compressedOffset;
    }

    /// <summary>A span starts at this bit, and so the one before it ends.</summary>
    public void Cut(long startBit)
    {
        Settle((startBit + 7) / 8);
        EndSpan();
        CompressedOffset = startBit / 8;
    }

    /// <summary>The blob has ended: all digests, 32 bytes each, once.</summary>
    public byte[] Complete()
    {
        Settle(tail.CompressedEnd);
        EndSpan();
        var digests = _digests.ToArray();
        _digests.SetLength(0);
        _digests.Capacity = 0; // a large layer has megabytes of them
        return digests;
    }

    public void Dispose()
    {
        _hash.Dispose();
        _digests.Dispose();
    }

    private void EndSpan()
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(digest);
        _digests.Write(digest);
    }
}
