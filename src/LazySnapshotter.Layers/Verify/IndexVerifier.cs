using System.Security.Cryptography;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Verify;

// Proves an index against its layer, in one pass over the blob, with memory for a few spans and the two trees: every
// span's digest; every checkpoint a real block boundary; every span decoded from its checkpoint and compared with a
// straight pass; the TOC with that of a fresh pass over the tar; layer digest, diff ID and lengths.
public sealed class IndexVerifier : IGzipSink, IDisposable
{
    private const int BufferLength = 128 * 1024;

    private readonly LayerIndex _index;
    private readonly IndexVerificationOptions _options;
    private readonly IncrementalHash _layerHash;
    private readonly IncrementalHash _diffHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly TocBuilder _tocBuilder = new();
    private readonly TarParser _tar;
    private readonly SpanProof _spans;
    private readonly SpanPieces _pieces;
    private readonly CheckpointProof _checkpoints;
    private readonly CheckTally _file = new("index file");
    private readonly CheckTally _layer = new("layer");
    private long _compressedLength;
    private long _uncompressedLength;

    private IndexVerifier(LayerIndex index, IndexVerificationOptions options)
    {
        _index = index;
        _options = options;
        _layerHash = index.LayerDigest.CreateHash();
        _tar = new TarParser(_tocBuilder);
        _spans = new SpanProof(index);
        _pieces = new SpanPieces(index.Spans, _spans.Add);
        _checkpoints = new CheckpointProof(index.Spans);
    }

    /// <param name="blob">The layer as it is in the registry.</param>
    /// <exception cref="IOException">The blob cannot be read.</exception>
    public static async Task<IndexVerificationReport> VerifyAsync(
        LayerIndex index, Stream blob, IndexVerificationOptions options, CancellationToken cancellationToken)
    {
        using var verifier = new IndexVerifier(index, options);
        return await verifier.RunAsync(blob, cancellationToken);
    }

    void IGzipSink.Uncompressed(ReadOnlySpan<byte> bytes)
    {
        _uncompressedLength += bytes.Length;
        _pieces.AppendUncompressed(bytes);
        _diffHash.AppendData(bytes);
        _tar.Append(bytes);
    }

    void IGzipSink.BlockStart(long startBit, long uncompressedOffset, bool isMemberStart) =>
        _checkpoints.BlockStart(startBit, uncompressedOffset);

    public void Dispose()
    {
        _spans.Dispose();
        _pieces.Dispose();
        _layerHash.Dispose();
        _diffHash.Dispose();
    }

    private async Task<IndexVerificationReport> RunAsync(Stream blob, CancellationToken cancellationToken)
    {
        CheckFile();
        var buffer = new byte[BufferLength];
        var length = await blob.ReadAtLeastAsync(buffer, LayerFormat.ProbeLength, throwOnEndOfStream: false, cancellationToken);
        LayerToc? toc = null;
        try
        {
            var compression = LayerFormat.Detect(buffer.AsSpan(0, Math.Min(length, LayerFormat.ProbeLength)));
            if (compression != _index.Compression)
                throw new InvalidDataException($"the layer's compression is {compression}, the index says {_index.Compression}");

            var gzip = compression == LayerCompression.Gzip ? new GzipScanner(this) : null;
            for (; length > 0; length = await blob.ReadAsync(buffer, cancellationToken))
                Append(gzip, buffer.AsSpan(0, length));
            gzip?.Complete();
            _tar.Complete();
            toc = _tocBuilder.Build();
        }
        catch (Exception exception) when (exception is InvalidDataException or UnsupportedLayerException)
        {
            // Not the index's fault, but nothing can be proved behind this place.
            _layer.Expect(false, () =>
                new IndexDifference($"the layer itself cannot be read: {exception.Message}") { CompressedOffset = _compressedLength });
        }

        _spans.Complete();
        if (toc is not null)
            CompareWhole();
        return new IndexVerificationReport(
        [
            _file.Result, _layer.Result, _spans.Digests.Result,
            .. _index.Compression == LayerCompression.Gzip ? new[] { _checkpoints.Checkpoints.Result } : [],
            _spans.Contents.Result,
            .. toc is null ? [] : new TocProof(toc, _index.Toc).Run(),
        ]);
    }

    private void CheckFile()
    {
        _file.Compare();
        try
        {
            _index.VerifyWindows();
        }
        catch (InvalidDataException exception)
        {
            _file.Differ(new IndexDifference(exception.Message));
        }
    }

    private void Append(GzipScanner? gzip, ReadOnlySpan<byte> bytes)
    {
        _compressedLength += bytes.Length;
        _layerHash.AppendData(bytes);
        _pieces.AppendCompressed(bytes);
        if (gzip is null)
            ((IGzipSink)this).Uncompressed(bytes);
        else
            gzip.Append(bytes);
        _options.Progress?.Report(_compressedLength);
    }

    private void CompareWhole()
    {
        _checkpoints.Complete();
        var spans = _index.Spans;
        var layerDigest = Digest.Parse($"{_index.LayerDigest.Algorithm}:{Convert.ToHexStringLower(_layerHash.GetHashAndReset())}");
        _layer.Expect(_options.LayerIsUnknown || layerDigest == _index.LayerDigest, () =>
            new IndexDifference($"its digest is {layerDigest}, the index is that of {_index.LayerDigest}"));
        var diffId = Digest.FromSha256(_diffHash.GetHashAndReset());
        if (_index.DiffId is { } indexedDiffId)
            _layer.Expect(diffId == indexedDiffId, () => new IndexDifference($"its diff ID is {diffId}, the index says {indexedDiffId}"));

        _layer.Expect(_compressedLength == spans.CompressedLength, () =>
            new IndexDifference($"{_compressedLength} bytes, the index says {spans.CompressedLength}"));
        var isTarLength = _uncompressedLength == spans.UncompressedLength
            || (_options.TarPaddingIsOptional && _uncompressedLength > spans.UncompressedLength);
        _layer.Expect(
            isTarLength, () => new IndexDifference($"a tar of {_uncompressedLength} bytes, the index says {spans.UncompressedLength}"));

        if (_pieces.LostAt is { } lost)
        {
            _spans.Contents.Differ(new IndexDifference(
                $"span {lost.Id}: its borders in blob and tar are not those of one piece; nothing behind it was compared")
            {
                Span = lost.Id.Value,
                CompressedOffset = lost.CompressedOffset,
                UncompressedOffset = lost.UncompressedOffset,
            });
        }
        else if (_pieces.CompletedCount < spans.Count)
        {
            _spans.Contents.Differ(
                new IndexDifference($"span {_pieces.CompletedCount}: the layer ends before it does") { Span = _pieces.CompletedCount });
        }
    }
}
