using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Fuse;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Mounts.Library;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts;

// Layers as directories of the node's filesystem: what Snapshots asks for through ILayerMounter. A layer gets a slot
// (kept in the metadata database) and with it a directory under the FUSE mount. After a restart the slots are there
// again at once; their layers are opened from this node's files when first looked into.
public sealed class LayerMounter : ILayerMounter, IDisposable
{
    /// <summary>Longer than any single wait for a registry: what ends by it has stopped for another reason.</summary>
    public static readonly TimeSpan DefaultSilenceMax = TimeSpan.FromMinutes(5);

    private readonly string _mountPoint;
    private readonly LayerLibrary _library;
    private readonly PullDecisions _pulls;
    private readonly SlotStore _slots;
    private readonly LayerFileSystem _fileSystem;
    private readonly ILogger _logger;

    // A slot is shown and its layer opened, or both go, in one step.
    private readonly SemaphoreSlim _gate = new(1);

    /// <param name="mountPoint">Where <see cref="FileSystem"/> is mounted.</param>
    /// <param name="silenceMax">Of a layer that is being got ready; then containerd is told that it is not served.</param>
    public LayerMounter(string mountPoint, LayerLibrary library, SlotStore slots, ILoggerFactory loggers, TimeSpan? silenceMax = null)
    {
        _mountPoint = mountPoint;
        _library = library;
        _slots = slots;
        _logger = loggers.CreateLogger<LayerMounter>();
        _pulls = new PullDecisions(library, silenceMax ?? DefaultSilenceMax, TimeProvider.System, _logger);
        _fileSystem = new LayerFileSystem(OpenSlot);
        foreach (var slot in slots.Numbers())
            _fileSystem.Register(slot);
    }

    /// <summary>What the kernel is served.</summary>
    public IFuseFileSystem FileSystem => _fileSystem;

    public void Announce(RemoteImage image)
    {
        if (!ImageReference.TryParse(image.Reference, out var reference))
            return;
        UseCredentials(image, reference);
        var origin = new LayerOrigin(reference, image.ManifestDigest);
        _pulls.Begin(origin);
        _ = PrepareAllAsync(origin, image.Layers);
    }

    public async Task<MountedLayer> MountAsync(
        RemoteImage image, Digest layer, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken)
    {
        try
        {
            var reference = ImageReference.Parse(image.Reference);
            UseCredentials(image, reference);
            var opened = await _pulls.OpenAsync(new LayerOrigin(reference, image.ManifestDigest), layer, cancellationToken);
            var inherited = ImplicitDirectoryResolver.Resolve(opened.Toc, lowerDirectories);
            // By the manifest the layer's index can be found again when the tag has moved on.
            var source = reference with { Digest = image.ManifestDigest ?? reference.Digest };
            var slot = await ShowAsync(source, layer, inherited, cancellationToken);
            MountsLog.LayerMounted(_logger, layer, slot.Number, slot.IndexId);
            return new MountedLayer(slot.Number, DirectoryOf(slot.Number));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or UnsupportedLayerException or UnauthorizedAccessException)
        {
            throw new LayerUnavailableException(e.Message, e) { IsTold = e is RegistryTroubleException };
        }
    }

    public string DirectoryOf(long layerId) => Path.Combine(_mountPoint, layerId.ToString(CultureInfo.InvariantCulture));

    public LayerUsage UsageOf(long layerId) =>
        _slots.TryGet(layerId) is { } slot ? new LayerUsage(_library.StoredBytes(slot.Layer), Inodes: 1) : default;

    public async Task ReleaseAsync(long layerId, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_slots.Remove(layerId) is not { } slot)
                return;

            _fileSystem.Remove(layerId);
            if (!_slots.AnyFor(slot.Layer))
                await _library.RemoveAsync(slot.Layer);
            MountsLog.LayerReleased(_logger, slot.Layer, layerId);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    /// <summary>Drops slots no snapshot refers to: what a crash between two steps of a removal left over.</summary>
    public async Task ReleaseUnusedAsync(IReadOnlySet<long> layersInUse, CancellationToken cancellationToken)
    {
        foreach (var slot in _slots.Numbers().Where(slot => !layersInUse.Contains(slot)))
            await ReleaseAsync(slot, cancellationToken);
    }

    private async Task<LayerSlot> ShowAsync(ImageReference image, Digest layer, ImplicitDirectories inherited, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Opened again: a release may have closed it since. What it dropped is fetched anew when it is read.
            var opened = _library.TryOpen(image, layer) ?? throw new IOException($"{layer}: its index went away while it was mounted");
            var slot = _slots.GetOrAdd(layer, opened.Index.Id, inherited.ToBytes(), image.ToString());
            _fileSystem.Add(slot.Number, new LayerDirectory(slot.Number, opened, inherited));
            return slot;
        }
        finally
        {
            _gate.Release();
        }
    }

    private void UseCredentials(RemoteImage image, ImageReference reference)
    {
        if (image.Credentials is { } credentials)
            _library.UseCredentials(reference, credentials.Username, credentials.Secret);
    }

    // One line per image start with what it cost at registries, other images' requests at the same time included.
    private async Task PrepareAllAsync(LayerOrigin origin, IReadOnlyList<Digest> layers)
    {
        var started = Stopwatch.GetTimestamp();
        var before = _library.RegistryCounts;
        await Task.WhenAll(layers.Select(layer => PrepareAsync(origin, layer)));
        var image = origin.Image.ToString();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var cost = _library.RegistryCounts.Since(before).ToString();
        MountsLog.ImagePrepared(_logger, image, layers.Count, seconds, cost);
    }

    // Prepare for each layer will report what went wrong; here it is only known that time was not saved.
    private async Task PrepareAsync(LayerOrigin origin, Digest layer)
    {
        try
        {
            await _pulls.OpenAsync(origin, layer, CancellationToken.None);
        }
        catch (RegistryTroubleException)
        {
            // Said, once for all layers.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            MountsLog.LayerNotPrepared(_logger, layer, origin.Image.ToString(), e.Message);
        }
    }

    private LayerDirectory? OpenSlot(long number)
    {
        if (_slots.TryGet(number) is not { } slot)
            return null;

        var image = ImageReference.Parse(slot.Source);
        var layer = _library.TryOpen(image, slot.Layer);
        if (layer is not null && layer.Index.Id == slot.IndexId)
            return new LayerDirectory(number, layer, ImplicitDirectories.FromBytes(slot.Inherited));

        // Another index would give the kernel's node ids another meaning.
        if (layer is not null)
        {
            MountsLog.SlotNotShown(_logger, number, $"it stands for index {slot.IndexId} of layer {slot.Layer}, this node has {layer.Index.Id} now");
            throw new IOException($"{slot.Layer}: slot {number} was made with index {slot.IndexId}, this node has {layer.Index.Id} now");
        }

        if (_library.Recover(image, slot.Layer, slot.IndexId, () => _slots.TryGet(number) is not null))
            MountsLog.SlotWaitsForIndex(_logger, number, slot.IndexId, slot.Layer);
        throw new IOException($"{slot.Layer}: the index {slot.IndexId} that slot {number} was made with is not here, it is being obtained");
    }
}
