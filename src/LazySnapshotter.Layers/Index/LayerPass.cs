using System.Security.Cryptography;
using LazySnapshotter.Layers.Gzip;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Index;

// The one pass over a layer's blob that learns everything an index has. Compressed bytes go in as they arrive; where
// they go from there:
//
//   blob bytes -> layer digest
//              -> SpanHasher                      (digest of each span)
//              -> GzipScanner -> block starts     -> UniformCheckpoints -> WindowSpool
//                             -> tar bytes        -> diff ID
//                                                 -> TarParser -> TocBuilder
internal sealed class LayerPass : IGzipSink, IDisposable
{
    /// <summary>How many bytes a checkpoint candidate may keep waiting (empty blocks, padding) before it is let go.</summary>
    private const int TailLengthMax = 4 * 1024 * 1024;

    private readonly long _spanLength;
    private readonly IncrementalHash _layerHash;
    private readonly string _layerAlgorithm;
    private readonly IncrementalHash _diffHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly SpanHasher _spanHasher = new();
    private readonly TocBuilder _tocBuilder = new();
    private readonly TarParser _tar;
    private readonly UniformCheckpoints _checkpoints;
    private readonly List<long> _startBits = [0];
    private readonly List<long> _uncompressedOffsets = [0];
    private readonly byte[] _probe = new byte[LayerFormat.ProbeLength];
    private int _probeLength;
    private GzipScanner? _gzip;
    private LayerCompression? _compression;
    private long _uncompressedLength;

    public LayerPass(LayerIndexOptions options, string spoolDirectory)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SpanLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SpanLength, LayerIndexLimits.SpanLengthMax / 2);
        _spanLength = options.SpanLength;
        _layerAlgorithm = options.ExpectedDigest?.Algorithm ?? Digest.Sha256Algorithm;
        _layerHash = IncrementalHash.CreateHash(_layerAlgorithm == Digest.Sha512Algorithm ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        _tar = new TarParser(_tocBuilder);
        _checkpoints = new UniformCheckpoints(_spanLength, AddCheckpoint);
        Windows = new WindowSpool(spoolDirectory);
        Windows.Add(default); // the first span needs none
    }

    public long CompressedLength { get; private set; }

    public WindowSpool Windows { get; }

    public LayerCompression Compression => _compression ?? throw new InvalidOperationException("nothing has been read");

    /// <summary>Digest of the blob, after the last byte.</summary>
    public Digest LayerDigest { get; private set; }

    /// <summary>Digest of the tar, after the last byte.</summary>
    public Digest DiffId { get; private set; }

    public void Append(ReadOnlySpan<byte> compressed)
    {
        CompressedLength += compressed.Length;
        if (CompressedLength > LayerIndexLimits.CompressedLengthMax)
            throw new UnsupportedLayerException($"the layer is larger than {LayerIndexLimits.CompressedLengthMax} bytes");
        _layerHash.AppendData(compressed);
        if (_compression is null)
        {
            var probed = Math.Min(compressed.Length, _probe.Length - _probeLength);
            compressed[..probed].CopyTo(_probe.AsSpan(_probeLength));
            _probeLength += probed;
            compressed = compressed[probed..];
            if (_probeLength < _probe.Length)
                return;
            EndProbe();
        }

        Take(compressed);
    }

    public (LayerToc Toc, SpanTable Spans) Complete()
    {
        if (_compression is null)
            EndProbe();
        _gzip?.Complete();
        _tar.Complete();
        CheckSpan(_startBits[^1] / 8, CompressedLength, "compressed");

        LayerDigest = Digest.Parse($"{_layerAlgorithm}:{Convert.ToHexStringLower(_layerHash.GetHashAndReset())}");
        DiffId = Digest.FromSha256(_diffHash.GetHashAndReset());
        var spans = new SpanTable([.. _startBits], [.. _uncompressedOffsets], _spanHasher.Complete(), CompressedLength, _uncompressedLength);
        return (_tocBuilder.Build(), spans);
    }

    public void Uncompressed(ReadOnlySpan<byte> bytes)
    {
        _checkpoints.Append(bytes);
        _uncompressedLength += bytes.Length;
        if (_uncompressedLength > LayerIndexLimits.UncompressedLengthMax)
            throw new UnsupportedLayerException($"the layer unpacks to more than {LayerIndexLimits.UncompressedLengthMax} bytes");
        CheckSpan(_uncompressedOffsets[^1], _uncompressedLength, "uncompressed");
        _diffHash.AppendData(bytes);
        _tar.Append(bytes);
    }

    public void BlockStart(long startBit, long uncompressedOffset, bool isMemberStart) =>
        _checkpoints.Offer(startBit, uncompressedOffset, isMemberStart);

    public void Dispose()
    {
        _layerHash.Dispose();
        _diffHash.Dispose();
        _spanHasher.Dispose();
        Windows.Dispose();
    }

    private void EndProbe()
    {
        var start = _probe.AsSpan(0, _probeLength);
        _compression = LayerFormat.Detect(start);
        if (_compression == LayerCompression.Gzip)
            _gzip = new GzipScanner(this);
        Take(start);
    }

    private void Take(ReadOnlySpan<byte> compressed)
    {
        if (_gzip is null)
        {
            TakePlain(compressed);
            return;
        }

        _spanHasher.Append(compressed);
        _gzip.Append(compressed);
        if (_spanHasher.TailLength > TailLengthMax)
            _checkpoints.DropCandidate();
        // The next boundary may still lie in the last byte that was read.
        _spanHasher.Settle((_checkpoints.CandidateBit ?? Math.Max(0, _gzip.CompressedOffset - 1) * 8) / 8);
    }

    /// <summary>A tar that is not compressed: spans of equal length.</summary>
    private void TakePlain(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_uncompressedLength - _uncompressedOffsets[^1] == _spanLength)
                AddCheckpoint(_uncompressedLength * 8, _uncompressedLength, window: default);

            var length = (int)Math.Min(bytes.Length, _uncompressedOffsets[^1] + _spanLength - _uncompressedLength);
            _spanHasher.Append(bytes[..length]);
            Uncompressed(bytes[..length]);
            _spanHasher.Settle(_uncompressedLength);
            bytes = bytes[length..];
        }
    }

    private void AddCheckpoint(long startBit, long uncompressedOffset, ReadOnlySpan<byte> window)
    {
        CheckSpan(_startBits[^1] / 8, startBit / 8, "compressed");
        if (_startBits.Count == LayerIndexLimits.SpanCountMax)
            throw new UnsupportedLayerException($"the layer has more than {LayerIndexLimits.SpanCountMax} spans");
        _spanHasher.Cut(startBit);
        _startBits.Add(startBit);
        _uncompressedOffsets.Add(uncompressedOffset);
        Windows.Add(WindowEncoding.Encode(window, WindowEncoding.AllReferenced));
    }

    private static void CheckSpan(long start, long end, string kind)
    {
        if (end - start > LayerIndexLimits.SpanLengthMax)
            throw new UnsupportedLayerException($"no deflate block starts in {LayerIndexLimits.SpanLengthMax} {kind} bytes from offset {start} on");
    }
}
