namespace LazySnapshotter.Layers.Index;

// Builds the index of a layer while its blob streams by, once, at the speed of the network; memory goes with the number
// of entries, not with the size of the layer. The index file appears at its path when everything has been checked.
public static class LayerIndexBuilder
{
    private const int BufferLength = 128 * 1024;

    /// <param name="blob">The layer as it is in the registry: a tar, gzip-compressed or not.</param>
    /// <param name="indexPath">Where the index goes; a file there is replaced. Its directory must exist.</param>
    /// <exception cref="InvalidDataException">The blob is damaged, foreign or has another digest; the message says where and how.</exception>
    /// <exception cref="UnsupportedLayerException">The blob cannot be read lazily.</exception>
    public static async Task<LayerIndexBuildResult> BuildAsync(
        Stream blob, string indexPath, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        using var file = new AtomicFile(indexPath);
        using var pass = new LayerPass(options, Path.GetDirectoryName(Path.GetFullPath(indexPath))!);
        var buffer = new byte[BufferLength];
        while (true)
        {
            var length = await blob.ReadAsync(buffer, cancellationToken);
            if (length == 0)
                break;
            options.CopyTo?.Invoke(buffer.AsMemory(0, length));
            pass.Append(buffer.AsSpan(0, length));
            options.Progress?.Report(pass.CompressedLength);
        }

        var (toc, spans) = pass.Complete();
        if (options.ExpectedDigest is { } expected && expected != pass.LayerDigest)
            throw new InvalidDataException($"layer {expected}: the {pass.CompressedLength} bytes received have digest {pass.LayerDigest}");

        var header = LayerIndexWriter.Write(file.Stream, new LayerIndexContent
        {
            Compression = pass.Compression,
            LayerDigest = pass.LayerDigest,
            DiffId = pass.DiffId,
            Toc = toc,
            Spans = spans,
            Windows = pass.Windows,
        });
        file.Commit();
        return new LayerIndexBuildResult(
            pass.LayerDigest, pass.DiffId, pass.Compression, spans.CompressedLength, spans.UncompressedLength,
            spans.Count, toc.Count, header.Id, header.FileLength);
    }
}
