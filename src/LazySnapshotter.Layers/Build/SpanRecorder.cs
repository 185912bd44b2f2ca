using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Build;

// Writes down the spans of a layer that streams by: offsets, digests and windows. Checkpoints come late, so the last bytes
// of blob and tar are kept until it is clear that nothing will start there.
internal sealed class SpanRecorder : IDisposable
{
    private readonly BlobTail _blob;
    private readonly OutputTail _output;
    private readonly SpanHasher _hasher;
    private readonly SparseWindows _windows;
    private readonly WindowSpool _spool;
    private readonly ChunkedList<Checkpoint> _starts = new();
    private Checkpoint _runStart;

    public SpanRecorder(Recycler<BlobChunk> blobChunks, Recycler<GzipChunk> gzipChunks, string spoolDirectory)
    {
        _blob = new BlobTail(blobChunks);
        _output = new OutputTail(gzipChunks);
        _hasher = new SpanHasher(_blob);
        _spool = new WindowSpool(spoolDirectory);
        _spool.Add([]); // the first span needs none
        _starts.Add(new Checkpoint(0, 0, IsMemberStart: true));
        _windows = new SparseWindows(_blob, _output, _spool);
    }

    public WindowSpool Windows => _spool;

    /// <summary>How much of the blob there is.</summary>
    public long CompressedEnd => _blob.CompressedEnd;

    /// <summary>How far back the blob is kept.</summary>
    public long CompressedOffset => Math.Min(_hasher.CompressedOffset, _windows.Waiting?.CompressedOffset ?? long.MaxValue);

    public void Add(BlobChunk chunk) => _blob.Add(chunk);

    public void Add(GzipChunk chunk) => _output.Add(chunk);

    /// <summary>A span's start has been chosen.</summary>
    /// <exception cref="UnsupportedLayerException">The run before it is longer than one may be, or there are too many.</exception>
    public void Cut(Checkpoint checkpoint)
    {
        CheckRun(checkpoint.CompressedOffset, checkpoint.UncompressedOffset);
        if (_starts.Count == LayerIndexLimits.SpanCountMax)
            throw new UnsupportedLayerException($"the layer has more than {LayerIndexLimits.SpanCountMax} spans");
        _hasher.Cut(checkpoint.StartBit);
        _windows.Add(checkpoint);
        _starts.Add(checkpoint);
        if (!checkpoint.IsContinued)
            _runStart = checkpoint;
    }

    /// <summary>Does what can be done with what is known, and forgets what is not needed any more.</summary>
    /// <param name="undecided">The first place at which a span may still start.</param>
    /// <param name="uncompressedEnd">How much output there is.</param>
    /// <param name="keptFrom">What starts before this byte of the blob cannot be kept any longer.</param>
    public void Settle(in Checkpoint undecided, long uncompressedEnd, long keptFrom)
    {
        _hasher.Settle(undecided.CompressedOffset);
        _windows.Make(uncompressedEnd, keptFrom);
        _blob.Release(CompressedOffset);
        _output.Release(Math.Min(undecided.UncompressedOffset, _windows.Waiting?.UncompressedOffset ?? long.MaxValue));
    }

    /// <summary>The blob has ended: all its spans, and no buffer is kept.</summary>
    public SpanTable Complete(long uncompressedLength)
    {
        CheckRun(_blob.CompressedEnd, uncompressedLength);
        _windows.Make(uncompressedLength, long.MaxValue);
        var digests = _hasher.Complete();
        _blob.Clear();
        _output.Clear();
        var (startBits, uncompressedOffsets, areContinued) = (new long[_starts.Count], new long[_starts.Count], new bool[_starts.Count]);
        for (var i = 0; i < _starts.Count; i++)
            (startBits[i], uncompressedOffsets[i], areContinued[i]) = (
                _starts[i].StartBit, _starts[i].UncompressedOffset, _starts[i].IsContinued);
        _starts.Clear();
        return new SpanTable(startBits, uncompressedOffsets, digests, _blob.CompressedEnd, uncompressedLength, areContinued);
    }

    public void Dispose()
    {
        _hasher.Dispose();
        _spool.Dispose();
    }

    public static void CheckLength(long start, long end, string kind)
    {
        if (end - start > SpanTable.LengthMax)
            throw new UnsupportedLayerException($"no deflate block starts in {SpanTable.LengthMax} {kind} bytes from offset {start} on");
    }

    /// <summary>Nothing in the layer may need what a span table does not allow.</summary>
    private void CheckRun(long compressedEnd, long uncompressedEnd)
    {
        CheckLength(_runStart.CompressedOffset, compressedEnd, "compressed");
        CheckLength(_runStart.UncompressedOffset, uncompressedEnd, "uncompressed");
    }
}
