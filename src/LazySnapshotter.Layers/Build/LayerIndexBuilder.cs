using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Layers.Build;

// Builds the index of a layer while its blob streams by, once, at the speed of the network or of inflate; memory goes
// with the number of entries, not with the size of the layer. The index file appears at its path when everything has
// been checked.
public static class LayerIndexBuilder
{
    /// <param name="blob">The layer as it is in the registry: a tar, gzip-compressed or not.</param>
    /// <param name="indexPath">Where the index goes; a file there is replaced. Its directory must exist.</param>
    /// <exception cref="InvalidDataException">The blob is damaged, foreign or has another digest; the message says where and
    /// how.</exception>
    /// <exception cref="UnsupportedLayerException">The blob cannot be read lazily.</exception>
    public static Task<LayerIndexBuildResult> BuildAsync(
        Stream blob, string indexPath, LayerIndexOptions options, CancellationToken cancellationToken) =>
        BuildAsync(blob, new AtomicFile(indexPath), _ => indexPath, options, cancellationToken);

    /// <param name="file">What the index is written to; it is disposed of.</param>
    /// <param name="pathOf">From what the index is to its file's name.</param>
    /// <inheritdoc cref="BuildAsync(Stream, string, LayerIndexOptions, CancellationToken)"/>
    internal static async Task<LayerIndexBuildResult> BuildAsync(
        Stream blob, AtomicFile file, Func<LayerIndexHeader, string> pathOf, LayerIndexOptions options, CancellationToken cancellationToken)
    {
        var blobChunks = new Recycler<BlobChunk>();
        var gzipChunks = new Recycler<GzipChunk>();
        using var _ = file;
        using var pass = new LayerPass(options.Placement, blobChunks, gzipChunks, file.Directory);
        using var reader = new BlobReader(blob, options, blobChunks);
        await using (var pipeline = new BuildPipeline(pass, gzipChunks, cancellationToken))
            await RunAsync(reader, pipeline, cancellationToken);

        var (toc, spans) = pass.Complete();
        var layerDigest = reader.GetDigest();
        if (options.ExpectedDigest is { } expected && expected != layerDigest)
            throw new InvalidDataException($"layer {expected}: the {spans.CompressedLength} bytes received have digest {layerDigest}");

        var header = LayerIndexWriter.Write(file.Stream, new LayerIndexContent
        {
            Compression = pass.Compression,
            LayerDigest = layerDigest,
            DiffId = pass.DiffId,
            Toc = toc,
            Spans = spans,
            Windows = pass.Windows,
        });
        file.Commit(pathOf(header));
        return new LayerIndexBuildResult(
            layerDigest, pass.DiffId, pass.Compression, spans.CompressedLength, spans.UncompressedLength,
            spans.Count, toc.Count, header.Id, header.FileLength);
    }

    private static async Task RunAsync(BlobReader reader, BuildPipeline pipeline, CancellationToken cancellationToken)
    {
        try
        {
            if (reader.IsFile)
                await pipeline.ReadAsync(reader.Read);
            else
                await pipeline.CompleteAsync(await AddAllAsync(reader, pipeline));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Why there is no more of the blob, if not because it has ended.</summary>
    private static async Task<Exception?> AddAllAsync(BlobReader reader, BuildPipeline pipeline)
    {
        try
        {
            while (await reader.ReadAsync(pipeline.Aborted) is { } chunk)
                await pipeline.AddAsync(chunk);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
