namespace LazySnapshotter.Codecs.Gzip;

// Follows a gzip blob as it streams by, on one thread: reader, teller and checker in turns. Whoever feeds it calls Append with
// the bytes as they come, then Complete; the sink has heard of everything up to there when a call returns.
internal sealed class GzipScanner
{
    private readonly GzipTeller _teller;
    private readonly GzipChecker _checker = new();
    private readonly GzipReader _reader;
    private readonly Stack<GzipChunk> _free = new();

    public GzipScanner(IGzipSink sink)
    {
        _teller = new GzipTeller(sink);
        _reader = new GzipReader(forPlacement: false, () => _free.TryPop(out var chunk) ? chunk : new GzipChunk(), Take);
    }

    public long CompressedOffset => _reader.CompressedOffset;

    public long UncompressedOffset => _reader.UncompressedOffset;

    /// <exception cref="InvalidDataException">Not gzip, or damaged; the message has the offset.</exception>
    public void Append(ReadOnlySpan<byte> compressed)
    {
        _reader.Append(compressed);
        _reader.Flush();
    }

    /// <exception cref="InvalidDataException">The blob is cut short.</exception>
    public void Complete() => _reader.Complete();

    private void Take(GzipChunk chunk)
    {
        _teller.Take(chunk);
        _checker.Take(chunk);
        _free.Push(chunk);
    }
}
