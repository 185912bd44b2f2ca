using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Library;

// Every layer this process has open. Opening one joins index, blob store and registry into something that can be read
// (DESIGN section 2); the same layer is opened once by each of its indexes, however many images, directories and commands want
// it. An index comes from the node, if it is verified or the image's repository published it, or else from the first source
// that has a good one (D7); nothing that failed is remembered. An
// index that something stands on and that went away, or turned out damaged, is obtained again in the background. One that
// contradicts the registry is put to the proof when the layer is opened the next time (IndexTrial); if it is refuted, what
// has it open keeps it, and the layer gets another.
public sealed partial class LayerLibrary : IAsyncDisposable
{
    private readonly LayerIndexStore _indexes;
    private readonly BlobStore _blobs;
    private readonly RegistryClient _registry;
    private readonly SpanCache _cache;
    private readonly LayerLibraryOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly ConcurrentDictionary<(string Repository, Digest Layer), Lazy<Task<LazyLayer>>> _opening = new();
    private readonly Dictionary<string, OpenLayer> _open = []; // by the identity of the index
    private readonly List<OpenLayer> _retired = []; // open by an index that was refuted
    private readonly ConcurrentDictionary<string, LinkEstimate> _links = new(); // by registry
    private readonly Lock _gate = new();

    public LayerLibrary(
        LayerIndexStore indexes, BlobStore blobs, RegistryClient registry, SpanCache cache, LayerLibraryOptions options,
        ILoggerFactory loggers)
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
        if (TryOpen(origin.Image, layer) is { } open && DoubtedOf(open) is null)
            return open;

        // One attempt for all who ask; it goes on when the one who asked first gives up.
        var key = (origin.Image.Name, layer);
        var attempt = _opening.GetOrAdd(
            key, _ => new Lazy<Task<LazyLayer>>(() => Task.Run(() => ObtainAndOpenAsync(origin, layer, _lifetime.Token))));
        try
        {
            return await attempt.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            if (attempt.Value.IsCompleted)
                _opening.TryRemove(new KeyValuePair<(string, Digest), Lazy<Task<LazyLayer>>>(key, attempt));
        }
    }

    /// <summary>Opens a layer by an index on this node that images of the reference's repository may use, without the network.</summary>
    /// <returns>Null when there is none.</returns>
    public LazyLayer? TryOpen(ImageReference image, Digest layer) => TryOpen(
        image,
        () => OpenOf(layer).FirstOrDefault(open => MayUse(image.Name, layer, open.Layer.Index.Id)),
        (out string? damage) => _indexes.TryOpenFor(layer, image.Name, out damage));

    /// <summary>Opens a layer by one certain index on this node, without the network. Null when it is not here.</summary>
    public LazyLayer? TryOpen(ImageReference image, Digest layer, string identity) => TryOpen(
        image,
        () => _open.GetValueOrDefault(identity),
        (out string? damage) => _indexes.TryOpen(layer, identity, out damage));

    /// <summary>What the registry client has done so far.</summary>
    public RegistryCounts RegistryCounts => _registry.Statistics.Counts;

    /// <summary>What a client handed over for an image's repository: used for it from now on, as long as this process lives.</summary>
    public void UseCredentials(ImageReference repository, string username, string secret) =>
        _registry.UseCredentials(repository, username, secret);

    /// <summary>Closes a layer and drops its bytes; the indexes stay, so that the next start is lazy from the first byte.</summary>
    public async Task RemoveAsync(Digest layer)
    {
        await CloseAsync(open => open.Layer.Digest == layer);
        _blobs.Remove(layer);
    }

    /// <summary>Closes a layer that is open by one certain index, and drops what was fetched by it.</summary>
    public async Task RemoveAsync(Digest layer, string identity)
    {
        await CloseAsync(open => open.Layer.Index.Id == identity);
        _blobs.Remove(layer, identity);
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
            open = [.. _open.Values, .. _retired];
            _open.Clear();
            _retired.Clear();
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
        if (TryOpen(origin.Image, layer) is { } meanwhile && !await IsRefutedAsync(meanwhile, cancellationToken))
            return meanwhile;

        foreach (var source in _options.Sources)
            source.AskAhead(origin);
        Exception? failure = null;
        foreach (var source in _options.Sources)
        {
            try
            {
                if (await source.ObtainAsync(origin, layer, identity: null, cancellationToken) is not { } obtained)
                    continue;
                if (!IsRefuted(obtained.Index.Id))
                {
                    Decision.Leave(); // What goes on for the open layer has all the time there is.
                    return Open(origin.Image, obtained);
                }

                obtained.Index.Dispose();
                var kept = _indexes.SetAside(layer, obtained.Index.Id);
                throw new InvalidDataException($"its index {obtained.Index.Id} was refuted, kept as {kept}");
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnsupportedLayerException)
            {
                // Said in the log even for the last one, whose failure everybody who waits is told: they may be nobody. A registry's
                // trouble is said once for all layers of an image that is being pulled.
                if (e is not RegistryException trouble || Decision.Current?.IsNews(trouble) != false)
                    NodeLog.IndexNotObtained(_logger, layer, origin.Image, source.Name, e.Message);
                failure = e;
            }
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        throw new UnsupportedLayerException(
            $"{layer}: no index on this node{(_options.Sources.Count == 0 ? "" : $", and none from any source ({string.Join(", " +
                "", _options.Sources.Select(s => s.Name))})")}");
    }

    private delegate LayerIndex? IndexOpener(out string? damage);

    private LazyLayer? TryOpen(ImageReference image, Func<OpenLayer?> find, IndexOpener openIndex)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_lifetime.IsCancellationRequested, this);
            if (find() is not { } open)
            {
                var index = openIndex(out var damage);
                if (damage is not null)
                    NodeLog.IndexDamaged(_logger, damage);
                if (index is null)
                    return null;
                open = JoinOnce(index, image);
            }

            AddRepository(open, image);
            return open.Layer;
        }
    }

    private async Task CloseAsync(Func<OpenLayer, bool> isMeant)
    {
        List<OpenLayer> closed;
        lock (_gate)
        {
            closed = [.. _open.Values.Concat(_retired).Where(isMeant)];
            _retired.RemoveAll(closed.Contains);
            foreach (var open in closed)
                _open.Remove(open.Layer.Index.Id);
        }

        foreach (var open in closed)
            await open.DisposeAsync();
    }

    private LazyLayer Open(ImageReference image, ObtainedIndex obtained)
    {
        lock (_gate)
        {
            if (_lifetime.IsCancellationRequested)
            {
                obtained.Index.Dispose();
                throw new ObjectDisposedException(nameof(LayerLibrary));
            }

            var open = JoinOnce(obtained.Index, image);
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

    private bool MayUse(string repository, Digest layer, string identity) =>
        _indexes.IsVerified(layer, identity) || _indexes.IsPublishedBy(layer, identity, repository);

    // Under the gate.
    private OpenLayer JoinOnce(LayerIndex index, ImageReference image)
    {
        if (!_open.TryGetValue(index.Id, out var open))
            return _open[index.Id] = Join(index, image);
        index.Dispose();
        return open;
    }

    // The data path of one layer, bottom to top: registry -> fetcher -> store -> decoder -> reader.
    private OpenLayer Join(LayerIndex index, ImageReference image)
    {
        try
        {
            var source = new LayerBlobSource(index.LayerDigest);
            var blob = _blobs.Open(index.LayerDigest, index.Id, index.Spans);
            var fetcher = new SpanFetcher(blob, source, _options.Fetching, _links.GetOrAdd(image.Registry, _ => new LinkEstimate()));
            var reader = new SpanReader(blob, fetcher, _cache, new SpanDecoder(index));
            var layer = new OpenLayer(new LazyLayer(index, reader), reader, source, blob, fetcher, _cache);
            blob.Doubted += span =>
            {
                if (layer.IsDoubted)
                    return;
                layer.IsDoubted = true;
                NodeLog.IndexDoubted(_logger, index.LayerDigest, index.Id, span.Value);
            };
            layer.Complete(_options.Retrying, _logger);
            return layer;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }
}
