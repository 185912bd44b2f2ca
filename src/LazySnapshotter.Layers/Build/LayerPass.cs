using System.Security.Cryptography;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Build;

// The one pass over a layer that learns everything an index has. Chunks of the blob and of what it unpacks to go in, in
// the order of the stream; where they go from there:
//
//   GzipChunk -> GzipChecker                                                   diff ID, CRC
//   BlobChunk -> SpanRecorder                                                  digests of spans
//   GzipChunk -> SpanRecorder                                                  windows
//             -> GzipTeller -> tar bytes -> TarParser -> TocBuilder
//                                                     -> ReadPoints -> CheckpointChooser -> SpanRecorder
//                           -> block starts, marks in blocks        -> CheckpointChooser
//
// Used by two threads: one calls Check, the other one all else, and takes a chunk only when it has been checked.
internal sealed class LayerPass : IGzipSink, ITarSink, IDisposable
{
    /// <summary>
    /// How much of the blob may wait for decisions. More than the look-ahead's 8 MiB of output ever take, unless the blob is
    /// full of blocks without output.
    /// </summary>
    private const long UndecidedLengthMax = 32 * 1024 * 1024;

    /// <summary>The next block may start somewhat before the end of what has been read: the inflater holds some bytes.</summary>
    private const int ReadAheadMax = 64;

    private readonly IncrementalHash _diffHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly TocBuilder _tocBuilder = new();
    private readonly TarParser _tar;
    private readonly ReadPoints _reads = new();
    private readonly GzipChecker _checker;
    private readonly GzipTeller _teller;
    private readonly SpanRecorder _spans;
    private readonly CheckpointChooser _chooser;
    private readonly PlainBoundaries _plain;
    private long _uncompressedLength;
    private long _lastBlockOffset;

    public LayerPass(CheckpointPlacement placement, Recycler<BlobChunk> blobChunks, Recycler<GzipChunk> gzipChunks, string spoolDirectory)
    {
        _tar = new TarParser(this);
        _checker = new GzipChecker(_diffHash);
        _teller = new GzipTeller(this);
        _spans = new SpanRecorder(blobChunks, gzipChunks, spoolDirectory);
        _chooser = placement.CreateChooser(_spans.Cut);
        _plain = new PlainBoundaries(placement, _reads, _chooser);
    }

    /// <summary>What the blob is; known before the first chunk comes.</summary>
    public LayerCompression Compression { get; set; }

    /// <summary>Whether the chooser wants to know the reach of blocks, and of marks inside them.</summary>
    public bool NeedsReach => _chooser.NeedsReach;

    public WindowSpool Windows => _spans.Windows;

    /// <summary>Digest of the tar, after the last byte.</summary>
    public Digest DiffId { get; private set; }

    /// <summary>The first look at a chunk; at a blob's only if it is not compressed.</summary>
    /// <exception cref="InvalidDataException">A gzip member is damaged.</exception>
    public void Check(GzipChunk chunk) => _checker.Take(chunk);

    /// <inheritdoc cref="Check(GzipChunk)"/>
    public void Check(BlobChunk chunk)
    {
        if (Compression == LayerCompression.None)
            _diffHash.AppendData(chunk.Bytes);
    }

    public void Take(BlobChunk chunk)
    {
        _spans.Add(chunk);
        if (Compression == LayerCompression.None)
            TakePlain(chunk);
    }

    public void Take(GzipChunk chunk)
    {
        _spans.Add(chunk);
        _teller.Take(chunk);

        var keptFrom = chunk.CompressedEnd - UndecidedLengthMax;
        if (_spans.CompressedOffset < keptFrom)
            _chooser.Force(keptFrom);
        var undecided = _chooser.Undecided
            ?? new Checkpoint(Math.Max(0, chunk.CompressedEnd - ReadAheadMax) * 8, _uncompressedLength, IsMemberStart: false);
        _spans.Settle(undecided, _uncompressedLength, keptFrom);
    }

    public (LayerToc Toc, SpanTable Spans) Complete()
    {
        _tar.Complete();
        if (Compression == LayerCompression.None)
            _plain.Complete(_uncompressedLength);
        _chooser.Complete(_spans.CompressedEnd, _uncompressedLength);
        DiffId = Digest.FromSha256(_diffHash.GetHashAndReset());
        BuildMemory.Release(_tocBuilder.EntryCount); // what parsing has left, to make room for the spans
        var spans = _spans.Complete(_uncompressedLength);
        return (_tocBuilder.Build(), spans); // in this order: the spans' buffers are free when the tree needs room
    }

    void IGzipSink.Uncompressed(ReadOnlySpan<byte> bytes)
    {
        SpanRecorder.CheckLength(_lastBlockOffset, _uncompressedLength + bytes.Length, "uncompressed");
        Parse(bytes);
        _reads.PassTo(_uncompressedLength, _chooser);
        _chooser.Advance(_uncompressedLength);
    }

    void IGzipSink.BlockStart(long startBit, long uncompressedOffset, bool isMemberStart)
    {
        _lastBlockOffset = uncompressedOffset;
        _chooser.BlockStart(new Checkpoint(startBit, uncompressedOffset, isMemberStart));
    }

    void IGzipSink.Mark(long startBit, long uncompressedOffset) =>
        _chooser.Mark(new Checkpoint(startBit, uncompressedOffset, IsMemberStart: false));

    void IGzipSink.BlockEnd(long reachBytes) => _chooser.BlockEnd(reachBytes);

    void ITarSink.Add(TarEntry entry)
    {
        _tocBuilder.Add(entry);
        _reads.Add(entry);
    }

    public void Dispose()
    {
        _diffHash.Dispose();
        _spans.Dispose();
    }

    private void TakePlain(BlobChunk chunk)
    {
        Parse(chunk.Bytes);
        _plain.PassTo(_uncompressedLength);
        var told = _plain.UncompressedOffset;
        _spans.Settle(_chooser.Undecided ?? new Checkpoint(told * 8, told, IsMemberStart: true), told, keptFrom: 0);
    }

    private void Parse(ReadOnlySpan<byte> bytes)
    {
        _uncompressedLength += bytes.Length;
        if (_uncompressedLength > LayerIndexLimits.UncompressedLengthMax)
            throw new UnsupportedLayerException($"the layer unpacks to more than {LayerIndexLimits.UncompressedLengthMax} bytes");
        _tar.Append(bytes);
    }
}
