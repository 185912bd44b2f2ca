using System.Security.Cryptography;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Soci;

// One pass over a layer's blob that collects what a zTOC says of it. Soci reads the blob three times and inflates it
// twice for the same. Memory: the entries, and 32 KiB for each span, for that is what the zTOC has.
//
//   blob -> layer digest
//        -> ZtocSpanHasher
//        -> GzipScanner -> ZtocCheckpoints
//                       -> TarParser -> entries
internal sealed class ZtocPass : IGzipSink, ITarSink, IDisposable
{
    private const int ReadAheadMax = 64;

    private readonly long _spanLength;
    private readonly IncrementalHash _layerHash;
    private readonly string _layerAlgorithm;
    private readonly ZtocSpanHasher _spanHasher = new();
    private readonly TarParser _tar;
    private readonly ZtocCheckpoints _checkpoints;
    private readonly byte[] _probe = new byte[LayerFormat.ProbeLength];
    private int _probeLength;
    private GzipScanner? _gzip;
    private LayerCompression? _compression;
    private long _plainSpanEnd;
    private long _outputLength;

    public ZtocPass(ZtocOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SpanLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SpanLength, CheckpointPlacement.SpanLengthMax);
        _spanLength = options.SpanLength;
        _plainSpanEnd = options.SpanLength;
        _layerAlgorithm = options.ExpectedDigest?.Algorithm ?? Digest.Sha256Algorithm;
        _layerHash = IncrementalHash.CreateHash(
            _layerAlgorithm == Digest.Sha512Algorithm ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
        _tar = new TarParser(this, keepHeaders: true);
        _checkpoints = new ZtocCheckpoints(options.SpanLength);
    }

    public long CompressedLength { get; private set; }

    public List<TarEntry> Entries { get; } = [];

    /// <exception cref="InvalidDataException">The blob is damaged or no layer; the message says where and how.</exception>
    /// <exception cref="UnsupportedLayerException">Soci cannot describe the layer either; the message says why.</exception>
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

    public ZtocContent Complete()
    {
        if (_compression is null)
            EndProbe();
        _gzip?.Complete();
        _tar.Complete();

        // The gzip header in front of the first checkpoint belongs to no span.
        var digests = _spanHasher.Complete();
        if (_gzip is not null)
            digests = digests[SHA256.HashSizeInBytes..];
        return new ZtocContent
        {
            Compression = _compression!.Value,
            LayerDigest = Digest.Parse($"{_layerAlgorithm}:{Convert.ToHexStringLower(_layerHash.GetHashAndReset())}"),
            CompressedLength = CompressedLength,
            // Behind the closing blocks there may be more zeros; Go's tar reader stops before them, and soci counts what it read.
            UncompressedLength = _tar.Offset,
            Entries = Entries,
            SpanDigests = digests,
            SpanIdMax = digests.Length / SHA256.HashSizeInBytes - 1,
            Checkpoints = _gzip is null ? TarZinfo.Write(_spanLength, CompressedLength) : _checkpoints.ToBytes(),
        };
    }

    void IGzipSink.Uncompressed(ReadOnlySpan<byte> bytes)
    {
        _checkpoints.Append(bytes);
        TakeTar(bytes);
    }

    void IGzipSink.BlockStart(long startBit, long uncompressedOffset, bool isMemberStart)
    {
        if (_checkpoints.Offer(startBit))
            _spanHasher.Cut(startBit);
    }

    void ITarSink.Add(TarEntry entry)
    {
        if (Entries.Count == TarLimits.EntryCountMax)
            throw new InvalidDataException($"more than {TarLimits.EntryCountMax} entries");
        if (ZtocEntryTypes.NameOf(entry) is null)
        {
            var name = Toc.TarPath.Display(entry.Name);
            throw new UnsupportedLayerException(
                $"entry {name}: soci knows no tar entries of type 'g' (pax global header), so there can be no zTOC of this layer");
        }

        Entries.Add(entry);
    }

    public void Dispose()
    {
        _layerHash.Dispose();
        _spanHasher.Dispose();
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
        // The inflater holds some bytes already in which the next block may start.
        _spanHasher.Settle(Math.Max(0, _gzip.CompressedOffset - ReadAheadMax));
    }

    /// <summary>A tar that is not compressed: spans of equal length, none of them empty.</summary>
    private void TakePlain(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_outputLength == _plainSpanEnd)
            {
                _spanHasher.Cut(_plainSpanEnd * 8);
                _plainSpanEnd += _spanLength;
            }

            var length = (int)Math.Min(bytes.Length, _plainSpanEnd - _outputLength);
            _spanHasher.Append(bytes[..length]);
            TakeTar(bytes[..length]);
            _spanHasher.Settle(_outputLength);
            bytes = bytes[length..];
        }
    }

    private void TakeTar(ReadOnlySpan<byte> bytes)
    {
        _outputLength += bytes.Length;
        if (_outputLength > LayerIndexLimits.UncompressedLengthMax)
            throw new UnsupportedLayerException($"the layer unpacks to more than {LayerIndexLimits.UncompressedLengthMax} bytes");
        _tar.Append(bytes);
    }
}
