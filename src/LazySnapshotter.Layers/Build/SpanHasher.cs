using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Columns;

namespace LazySnapshotter.Layers.Build;

// Computes the SHA-256 of every span of a blob, some way behind the bytes as they pass: where a span ends is decided
// late, and the byte on a border belongs to both spans.
internal sealed class SpanHasher(BlobTail tail) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ChunkedList<SpanDigest> _digests = new();

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

    /// <summary>The blob has ended: all digests, 32 bytes each.</summary>
    public byte[] Complete()
    {
        Settle(tail.CompressedEnd);
        EndSpan();
        var digests = new byte[_digests.Count * SHA256.HashSizeInBytes];
        for (var i = 0; i < _digests.Count; i++)
            ((ReadOnlySpan<byte>)_digests[i]).CopyTo(digests.AsSpan(i * SHA256.HashSizeInBytes));
        _digests.Clear();
        return digests;
    }

    public void Dispose() => _hash.Dispose();

    private void EndSpan()
    {
        var digest = default(SpanDigest);
        _hash.GetHashAndReset(digest);
        _digests.Add(digest);
    }

    [InlineArray(SHA256.HashSizeInBytes)]
    private struct SpanDigest
    {
        private byte _first;
    }
}
