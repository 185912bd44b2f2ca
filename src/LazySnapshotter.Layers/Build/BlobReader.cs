using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Build;

// Reads a blob for a build, however its bytes come, and cuts it into chunks of equal length. Each piece is passed on as
// it comes (LayerIndexOptions.CopyTo), before anybody looks into it.
internal sealed class BlobReader(Stream blob, LayerIndexOptions options, Recycler<BlobChunk> recycler) : IDisposable
{
    private readonly string _algorithm = options.ExpectedDigest?.Algorithm ?? Digest.Sha256Algorithm;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(
        options.ExpectedDigest?.Algorithm == Digest.Sha512Algorithm ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);

    private long _compressedLength;

    /// <summary>
    /// Whether reading needs no waiting for anybody: then Read is for it. .NET's asynchronous reads of a file only change threads.
    /// </summary>
    public bool IsFile => blob is FileStream { IsAsync: false, CanSeek: true };

    /// <summary>
    /// The next chunk; null at the end of the blob. When the read fails the bytes before have been passed on all the same.
    /// </summary>
    public BlobChunk? Read()
    {
        var chunk = RentChunk();
        while (Take(chunk, blob.Read(chunk.Buffer.AsSpan(chunk.Length))))
        {
        }

        return OrNull(chunk);
    }

    /// <inheritdoc cref="Read"/>
    public async ValueTask<BlobChunk?> ReadAsync(CancellationToken cancellationToken)
    {
        var chunk = RentChunk();
        while (true)
        {
            // A stream that does not listen to the token (a pipe) is left to itself, and the chunk to it.
            var read = blob.ReadAsync(chunk.Buffer.AsMemory(chunk.Length), cancellationToken);
            if (!Take(chunk, read.IsCompletedSuccessfully ? read.Result : await read.AsTask().WaitAsync(cancellationToken)))
                return OrNull(chunk);
        }
    }

    private BlobChunk RentChunk()
    {
        var chunk = recycler.Rent();
        chunk.CompressedOffset = _compressedLength;
        chunk.Length = 0;
        return chunk;
    }

    /// <summary>So many bytes have come; false if the chunk is full or the blob has ended.</summary>
    private bool Take(BlobChunk chunk, int length)
    {
        if (length == 0)
            return false;
        var bytes = chunk.Buffer.AsMemory(chunk.Length, length);
        chunk.Length += length;
        _compressedLength += length;
        if (_compressedLength > LayerIndexLimits.CompressedLengthMax)
            throw new UnsupportedLayerException($"the layer is larger than {LayerIndexLimits.CompressedLengthMax} bytes");
        options.CopyTo?.Invoke(bytes);
        _hash.AppendData(bytes.Span);
        options.Progress?.Report(_compressedLength);
        return chunk.Length < BlobChunk.LengthMax;
    }

    private BlobChunk? OrNull(BlobChunk chunk)
    {
        if (chunk.Length > 0)
            return chunk;
        recycler.Return(chunk);
        return null;
    }

    /// <summary>Digest of all that was read, by the algorithm that is expected.</summary>
    public Digest GetDigest() => Digest.Parse($"{_algorithm}:{Convert.ToHexStringLower(_hash.GetHashAndReset())}");

    public void Dispose() => _hash.Dispose();
}
