using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

// The source of last resort: the layer streams in once, its index is made on the way, and its bytes are kept. This start is
// not lazy, every later one is.
public sealed class StreamedIndexSource(
    RegistryClient registry, LayerIndexStore indexes, BlobStore blobs, int concurrency, ILoggerFactory loggers)
        : ILayerIndexSource, IDisposable
{
    public const string SourceName = "build";

    // Inflating a layer takes a core.
    private readonly SemaphoreSlim _indexing = new(concurrency);
    private readonly FlightGroup<Digest, string> _building = new(); // identities
    private readonly ILogger _logger = loggers.CreateLogger<StreamedIndexSource>();

    public string Name => SourceName;

    /// <summary>Images of several repositories that have the layer wait for one stream, the first one's.</summary>
    public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
    {
        var built = await _building.RunAsync(layer, () => BuildAsync(origin, layer, cancellationToken), cancellationToken);
        return indexes.TryOpen(layer, built, out var damage) is { } index
            ? new ObtainedIndex(index, [])
            : throw new IOException($"{layer}: the index that was just built is not here: {damage ?? "it was removed"}");
    }

    private async Task<string> BuildAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        await _indexing.WaitAsync(cancellationToken);
        try
        {
            return await BuildFromHereAsync(layer, cancellationToken) ?? await BuildFromRegistryAsync(origin, layer, cancellationToken);
        }
        finally
        {
            _indexing.Release();
        }
    }

    private async Task<string> BuildFromRegistryAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        await using var stream = await registry.OpenBlob(origin.Image, layer, size: null)
            .OpenAsync(ReadPriority.Demanded(), cancellationToken);
        using var blob = blobs.CreateWriter(layer);
        var built = await indexes.BuildFileAsync(
            stream, new LayerIndexOptions { ExpectedDigest = layer, CopyTo = bytes => blob.Write(bytes.Span) }, cancellationToken);
        await blob.CompleteAsync(cancellationToken);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        NodeLog.LayerIndexed(_logger, layer, elapsed);
        return built.IndexId;
    }

    // The layer may have streamed in before.
    private async Task<string?> BuildFromHereAsync(Digest layer, CancellationToken cancellationToken)
    {
        await using var blob = blobs.OpenComplete(layer);
        if (blob is null)
            return null;
        try
        {
            return (await indexes.BuildFileAsync(blob, new LayerIndexOptions { ExpectedDigest = layer }, cancellationToken)).IndexId;
        }
        catch (InvalidDataException e)
        {
            NodeLog.StoredBlobUnfit(_logger, layer, e.Message);
            return null;
        }
    }

    public void Dispose() => _indexing.Dispose();
}
