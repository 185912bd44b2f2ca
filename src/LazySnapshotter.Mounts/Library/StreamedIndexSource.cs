using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Store;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts.Library;

// The source of last resort: the layer streams in once, its index is made on the way, and its bytes are kept. This start is
// not lazy, every later one is.
public sealed class StreamedIndexSource(
    RegistryClient registry, LayerIndexStore indexes, BlobStore blobs, int concurrency, ILoggerFactory loggers) : ILayerIndexSource, IDisposable
{
    public const string SourceName = "build";

    // Inflating a layer takes a core.
    private readonly SemaphoreSlim _indexing = new(concurrency);
    private readonly ILogger _logger = loggers.CreateLogger<StreamedIndexSource>();

    public string Name => SourceName;

    public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
    {
        await _indexing.WaitAsync(cancellationToken);
        try
        {
            if (await BuildFromHereAsync(layer, cancellationToken) is { } built)
                return new ObtainedIndex(built, []);

            var started = TimeProvider.System.GetTimestamp();
            await using var stream = await registry.OpenBlob(origin.Image, layer, size: null).OpenAsync(ReadPriority.Demanded(), cancellationToken);
            using var blob = blobs.CreateWriter(layer);
            var index = await indexes.BuildAsync(layer, stream, new LayerIndexOptions { CopyTo = bytes => blob.Write(bytes.Span) }, cancellationToken);
            try
            {
                await blob.CompleteAsync(cancellationToken);
            }
            catch
            {
                index.Dispose();
                throw;
            }

            var elapsed = TimeProvider.System.GetElapsedTime(started);
            MountsLog.LayerIndexed(_logger, layer, elapsed);
            return new ObtainedIndex(index, []);
        }
        finally
        {
            _indexing.Release();
        }
    }

    // The layer may have streamed in before.
    private async Task<LayerIndex?> BuildFromHereAsync(Digest layer, CancellationToken cancellationToken)
    {
        await using var blob = blobs.OpenComplete(layer);
        if (blob is null)
            return null;
        try
        {
            return await indexes.BuildAsync(layer, blob, new LayerIndexOptions(), cancellationToken);
        }
        catch (InvalidDataException e)
        {
            MountsLog.StoredBlobUnfit(_logger, layer, e.Message);
            return null;
        }
    }

    public void Dispose() => _indexing.Dispose();
}
