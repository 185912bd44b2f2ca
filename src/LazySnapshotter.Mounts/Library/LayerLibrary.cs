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
// comes from the node, or else from the first source that has a good one (D7); nothing that failed is remembered. An
// index that something stands on and that went away, or turned out damaged, is obtained again in the background.
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
    private readonly Dictionary<Digest, Task> _recovering = [];
    private readonly IndexRecovery _recovery;
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
        _recovery = new IndexRecovery(options.Sources, options.Retrying, _logger);
        _indexes.Damaged += OnDamaged;
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

    /// <summary>
    /// Starts to obtain an index that is not on this node any more, and to open its layer by it, unless that is under way
    /// already. Returns at once; <see cref="TryOpen"/> finds it when it is here.
    /// </summary>
    /// <param name="isWanted">Asked before each attempt.</param>
    /// <returns>It was started now.</returns>
    public bool Recover(ImageReference image, Digest layer, string identity, Func<bool> isWanted) =>
        StartRecovery(layer, async cancellationToken =>
        {
            var origin = new LayerOrigin(image, Manifest: null);
            if (await _recovery.RunAsync(origin, layer, identity, () => isWanted() && TryOpen(image, layer) is null, cancellationToken) is { } obtained)
                Open(image, obtained);
        });

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
        _indexes.Damaged -= OnDamaged;
        OpenLayer[] open;
        Task[] recovering;
        lock (_gate)
        {
            open = [.. _open.Values];
            _open.Clear();
            recovering = [.. _recovering.Values];
        }

        await Task.WhenAll(recovering);
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
                if (await source.ObtainAsync(origin, layer, identity: null, cancellationToken) is { } obtained)
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

    // An open layer goes on with what of its index is whole. The rest works again as soon as the same index is in its place.
    private void OnDamaged(Digest layer, string damage)
    {
        MountsLog.IndexDamaged(_logger, layer, damage);
        OpenLayer? open;
        lock (_gate)
            _open.TryGetValue(layer, out open);
        if (open?.Image is not { } image)
            return;

        var identity = open.Layer.Index.Id;
        StartRecovery(layer, async cancellationToken =>
        {
            if (await _recovery.RunAsync(new LayerOrigin(image, Manifest: null), layer, identity, () => IsOpen(open), cancellationToken) is not { } obtained)
                return;
            using var index = obtained.Index;
            await IndexCompletion.RunAsync(index, _options.Retrying, _logger, cancellationToken);
        });
    }

    private bool IsOpen(OpenLayer layer)
    {
        lock (_gate)
            return _open.GetValueOrDefault(layer.Layer.Digest) == layer;
    }

    private bool StartRecovery(Digest layer, Func<CancellationToken, Task> recover)
    {
        lock (_gate)
        {
            if (_lifetime.IsCancellationRequested || _recovering.ContainsKey(layer))
                return false;
            _recovering[layer] = Task.Run(() => RunAsync(_lifetime.Token));
            return true;
        }

        async Task RunAsync(CancellationToken cancellationToken)
        {
            try
            {
                await recover(cancellationToken);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                // The library is being closed.
            }
            catch (Exception e)
            {
                MountsLog.RecoveryFailed(_logger, e, layer);
            }
            finally
            {
                lock (_gate)
                    _recovering.Remove(layer);
            }
        }
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

    private void AddRepository(OpenLayer open, ImageReference image)
    {
        open.Image = image;
        open.Source.Add(image, () => _registry.OpenBlob(image, open.Layer.Digest, open.Layer.Index.Spans.CompressedLength));
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
            var layer = new OpenLayer(new LazyLayer(index, reader), reader, source, blob, fetcher, _cache);
            layer.Complete(_options.Retrying, _logger);
            return layer;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    private sealed record OpenLayer(LazyLayer Layer, SpanReader Reader, LayerBlobSource Source, LayerBlob Blob, SpanFetcher Fetcher, SpanCache Cache) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _lifetime = new();
        private Task _warmed = Task.CompletedTask;
        private Task _completed = Task.CompletedTask;

        /// <summary>The latest that was seen to have the layer. Under the library's gate.</summary>
        public ImageReference? Image { get; set; }

        /// <summary>Starts to get what is not here yet of the index.</summary>
        public void Complete(BackoffTimes times, ILogger logger) => _completed = IndexCompletion.RunAsync(Layer.Index, times, logger, _lifetime.Token);

        /// <summary>Starts to fetch what will be wanted first. Under the library's gate.</summary>
        public void Warm(IReadOnlyList<SpanRangeToWarm> ranges, ILogger logger)
        {
            if (ranges.Count > 0 && _warmed.IsCompleted)
                _warmed = LayerWarmUp.RunAsync(Layer, Reader, ranges, logger, _lifetime.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _lifetime.CancelAsync();
            await _warmed;
            await _completed;
            _lifetime.Dispose();
            await Fetcher.DisposeAsync();
            Cache.Drop(Blob);
            Blob.Dispose();
            Layer.Index.Dispose();
        }
    }
}
