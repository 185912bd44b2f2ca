using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Soci;

// Computes the SHA-256 of every span of a blob as its bytes pass. Where a span ends is known as soon as its bytes have
// been inflated, for soci's rule looks at nothing that comes later; the byte on a border belongs to both spans. So only
// what the inflater has just been given waits here.
internal sealed class ZtocSpanHasher : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _digests = new();
    private byte[] _tail = new byte[1 << 16];
    private int _tailLength;
    private long _tailOffset;

    public void Append(ReadOnlySpan<byte> compressed)
    {
        if (_tailLength + compressed.Length > _tail.Length)
            Array.Resize(ref _tail, Math.Max(_tail.Length * 2, _tailLength + compressed.Length));
        compressed.CopyTo(_tail.AsSpan(_tailLength));
        _tailLength += compressed.Length;
    }

    /// <summary>No span will start before this byte any more.</summary>
    public void Settle(long compressedOffset) => Hash(compressedOffset, keepFrom: compressedOffset);

    /// <summary>A span starts at this bit, and so the one before it ends.</summary>
    public void Cut(long startBit)
    {
        Hash((startBit + 7) / 8, keepFrom: startBit / 8);
        EndSpan();
    }

    /// <summary>The blob has ended: all digests, 32 bytes each.</summary>
    public byte[] Complete()
    {
        Settle(_tailOffset + _tailLength);
        EndSpan();
        return _digests.ToArray();
    }

    public void Dispose()
    {
        _hash.Dispose();
        _digests.Dispose();
    }

    private void Hash(long end, long keepFrom)
    {
        if (end <= _tailOffset)
            return;
        _hash.AppendData(_tail, 0, (int)(end - _tailOffset));
        var dropped = (int)(keepFrom - _tailOffset);
        _tail.AsSpan(dropped, _tailLength - dropped).CopyTo(_tail);
        _tailLength -= dropped;
        _tailOffset = keepFrom;
    }

    private void EndSpan()
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(digest);
        _digests.Write(digest);
    }
}
