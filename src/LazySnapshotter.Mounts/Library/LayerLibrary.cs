using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LazySnapshotter.Artifacts;
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
// comes from the node, or else from the first source that has a good one (D7); nothing that failed is remembered.
public sealed class LayerLibrary : IAsyncDisposable
{
    private readonly LayerIndexStore _indexes;
    private readonly BlobStore _blobs;
    private readonly RegistryClient _registry;
    private readonly SpanCache _cache;
    private readonly LayerLibraryOptions _options;
    private readonly ILogger _logger;
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
        _indexes.Damaged += (layer, damage) => MountsLog.IndexDamaged(_logger, layer, damage);
    }

    /// <summary>Opens a layer, obtaining its index first where there is none on this node.</summary>
    /// <param name="origin">An image that has the layer: where its bytes, and perhaps its index, can be had.</param>
    /// <exception cref="IOException">The registry cannot give the layer.</exception>
    /// <exception cref="InvalidDataException">The layer is not what its digest or its format promise.</exception>
    /// <exception cref="UnsupportedLayerException">A layer that cannot be read lazily (zstd), or no source has an index of it.</exception>
    public async Task<LazyLayer> OpenAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        if (TryOpen(origin.Image, layer) is { } open)
            return open;

        // One attempt for all who ask; it goes on when the one who asked first gives up.
        var attempt = _opening.GetOrAdd(layer, key => new Lazy<Task<LazyLayer>>(() => Task.Run(() => ObtainAndOpenAsync(origin, key, _lifetime.Token))));
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

            AddRepository(open, image);
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
        _lifetime.Dispose();
    }

    // One source after the other; what one of them refuses or cannot get, the next may have.
    private async Task<LazyLayer> ObtainAndOpenAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        if (TryOpen(origin.Image, layer) is { } meanwhile)
            return meanwhile;

        Exception? failure = null;
        foreach (var source in _options.Sources)
        {
            try
            {
                if (await source.ObtainAsync(origin, layer, cancellationToken) is { } obtained)
                    return Open(origin.Image, obtained);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnsupportedLayerException)
            {
                // Said in the log even for the last one, whose failure everybody who waits is told: they may be nobody.
                MountsLog.IndexNotObtained(_logger, layer, origin.Image, source.Name, e.Message);
                failure = e;
            }
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        throw new UnsupportedLayerException(
            $"{layer}: no index on this node{(_options.Sources.Count == 0 ? "" : $", and none from any source ({string.Join(", ", _options.Sources.Select(s => s.Name))})")}");
    }

    private LazyLayer Open(ImageReference image, ObtainedIndex obtained)
    {
        var digest = obtained.Index.LayerDigest;
        lock (_gate)
        {
            if (_lifetime.IsCancellationRequested)
            {
                obtained.Index.Dispose();
                throw new ObjectDisposedException(nameof(LayerLibrary));
            }

            if (_open.TryGetValue(digest, out var open))
                obtained.Index.Dispose();
            else
                _open[digest] = open = Join(obtained.Index);
            AddRepository(open, image);
            open.Warm(obtained.Warm, _logger);
            return open.Layer;
        }
    }

    private void AddRepository(OpenLayer open, ImageReference image) =>
        open.Source.Add(image, () => _registry.OpenBlob(image, open.Layer.Digest, open.Layer.Index.Spans.CompressedLength));

    // The data path of one layer, bottom to top: registry -> fetcher -> store -> decoder -> reader.
    private OpenLayer Join(LayerIndex index)
    {
        try
        {
            var source = new LayerBlobSource(index.LayerDigest);
            var blob = _blobs.Open(index.LayerDigest, index.Id, index.Spans);
            var fetcher = new SpanFetcher(blob, source, _options.Fetching);
            var reader = new SpanReader(blob, fetcher, _cache, new SpanDecoder(index));
            return new OpenLayer(new LazyLayer(index, reader), reader, source, blob, fetcher, _cache);
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    private sealed record OpenLayer(LazyLayer Layer, SpanReader Reader, LayerBlobSource Source, LayerBlob Blob, SpanFetcher Fetcher, SpanCache Cache) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _warming = new();
        private Task _warmed = Task.CompletedTask;

        /// <summary>Starts to fetch what will be wanted first. Under the library's gate.</summary>
        public void Warm(IReadOnlyList<SpanRangeToWarm> ranges, ILogger logger)
        {
            if (ranges.Count > 0 && _warmed.IsCompleted)
                _warmed = LayerWarmUp.RunAsync(Layer, Reader, ranges, logger, _warming.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _warming.CancelAsync();
            await _warmed;
            _warming.Dispose();
            await Fetcher.DisposeAsync();
            Cache.Drop(Blob);
            Blob.Dispose();
            Layer.Index.Dispose();
        }
    }
}
