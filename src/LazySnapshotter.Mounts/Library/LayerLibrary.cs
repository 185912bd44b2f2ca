using System.Collections.Concurrent;
using LazySnapshotter.Layers.Gzip;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Store;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts.Library;

// Every layer this process has open. Opening one joins index, blob store and registry into something that can be read
// (DESIGN section 2); the same layer is opened once however many images, directories and commands want it. An index
// comes from the node, or else is made while the layer streams in once (D7); nothing that failed is remembered.
public sealed class LayerLibrary : IAsyncDisposable
{
    private readonly LayerIndexStore _indexes;
    private readonly BlobStore _blobs;
    private readonly RegistryClient _registry;
    private readonly SpanCache _cache;
    private readonly LayerLibraryOptions _options;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _indexing;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly ConcurrentDictionary<Digest, Lazy<Task<LazyLayer>>> _opening = new();
    private readonly Dictionary<Digest, OpenLayer> _open = [];
    private readonly Lock _gate = new();

    public LayerLibrary(
        LayerIndexStore indexes, BlobStore blobs, RegistryClient registry, SpanCache cache, LayerLibraryOptions options, ILoggerFactory loggers)
    {
        _indexes = indexes;
        _blobs = blobs;
        _registry = registry;
        _cache = cache;
        _options = options;
        _logger = loggers.CreateLogger<LayerLibrary>();
        _indexing = new SemaphoreSlim(options.IndexingConcurrency);
    }

    /// <summary>Opens a layer, making its index first where there is none.</summary>
    /// <param name="image">An image that has the layer: where its bytes can be had.</param>
    /// <exception cref="IOException">The registry cannot give the layer.</exception>
    /// <exception cref="InvalidDataException">The layer is not what its digest or its format promise.</exception>
    /// <exception cref="UnsupportedLayerException">A layer that cannot be read lazily (zstd), or indexing is switched off.</exception>
    public async Task<LazyLayer> OpenAsync(ImageReference image, Digest layer, CancellationToken cancellationToken)
    {
        if (TryOpen(image, layer) is { } open)
            return open;

        // One attempt for all who ask; it goes on when the one who asked first gives up.
        var attempt = _opening.GetOrAdd(layer, key => new Lazy<Task<LazyLayer>>(() => Task.Run(() => IndexAndOpenAsync(image, key, _lifetime.Token))));
        try
        {
            return await attempt.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            if (attempt.Value.IsCompleted)
                _opening.TryRemove(new KeyValuePair<Digest, Lazy<Task<LazyLayer>>>(layer, attempt));
        }
    }

    /// <summary>Opens a layer whose index is on this node, without the network. Null when there is none.</summary>
    public LazyLayer? TryOpen(ImageReference image, Digest layer)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_lifetime.IsCancellationRequested, this);
            if (!_open.TryGetValue(layer, out var open))
            {
                var index = _indexes.TryOpen(layer, out var damage);
                if (damage is not null)
                    MountsLog.IndexDamaged(_logger, layer, damage);
                if (index is null)
                    return null;
                _open[layer] = open = Join(index);
            }

            open.Source.Add(image, () => _registry.OpenBlob(image, layer, open.Layer.Index.Spans.CompressedLength));
            return open.Layer;
        }
    }

    /// <summary>Closes a layer and drops its bytes; the index stays, so that the next start is lazy from the first byte.</summary>
    public async Task RemoveAsync(Digest layer)
    {
        OpenLayer? open;
        lock (_gate)
            _open.Remove(layer, out open);
        if (open is not null)
            await open.DisposeAsync();
        _blobs.Remove(layer);
    }

    /// <summary>Bytes a layer takes on this node's disk: what was fetched of it, and its index.</summary>
    public long StoredBytes(Digest layer) => _blobs.AllocatedBytes(layer) + _indexes.LengthOf(layer);

    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync();
        OpenLayer[] open;
        lock (_gate)
        {
            open = [.. _open.Values];
            _open.Clear();
        }

        foreach (var layer in open)
            await layer.DisposeAsync();
        _indexing.Dispose();
        _lifetime.Dispose();
    }

    private async Task<LazyLayer> IndexAndOpenAsync(ImageReference image, Digest layer, CancellationToken cancellationToken)
    {
        if (!_options.BuildMissingIndexes)
            throw new UnsupportedLayerException($"{layer}: no index on this node, and making one is switched off");

        await _indexing.WaitAsync(cancellationToken);
        try
        {
            if (TryOpen(image, layer) is { } meanwhile)
                return meanwhile;

            var started = TimeProvider.System.GetTimestamp();
            await using var stream = await _registry.OpenBlob(image, layer, size: null).OpenAsync(cancellationToken);
            using var blob = _blobs.CreateWriter(layer);
            using (await _indexes.BuildAsync(layer, stream, new LayerIndexOptions { CopyTo = bytes => blob.Write(bytes.Span) }, cancellationToken))
                await blob.CompleteAsync(cancellationToken);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            MountsLog.LayerIndexed(_logger, layer, elapsed);
            return TryOpen(image, layer) ?? throw new IOException($"{layer}: the index just made cannot be read back");
        }
        finally
        {
            _indexing.Release();
        }
    }

    // The data path of one layer, bottom to top: registry -> fetcher -> store -> decoder -> reader.
    private OpenLayer Join(LayerIndex index)
    {
        try
        {
            var source = new LayerBlobSource(index.LayerDigest);
            var blob = _blobs.Open(index.LayerDigest, index.Id, index.Spans);
            var fetcher = new SpanFetcher(blob, source, _options.Fetching);
            var reader = new SpanReader(blob, fetcher, _cache, new SpanDecoder(index));
            return new OpenLayer(new LazyLayer(index, reader), source, blob, fetcher, _cache);
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    private sealed record OpenLayer(LazyLayer Layer, LayerBlobSource Source, LayerBlob Blob, SpanFetcher Fetcher, SpanCache Cache) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Fetcher.DisposeAsync();
            Cache.Drop(Blob);
            Blob.Dispose();
            Layer.Index.Dispose();
        }
    }
}
