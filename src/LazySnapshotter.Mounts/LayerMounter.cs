using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Node.Pulling;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts;

// Layers as directories of the node's filesystem: what Snapshots asks for through ILayerMounter. A layer gets a slot
// (kept in the metadata database) and with it a directory under the FUSE mount. After a restart the slots are there
// again at once; their layers are opened from this node's files when first looked into.
public sealed class LayerMounter : ILayerMounter, IDisposable
{
    private readonly string _mountPoint;
    private readonly LayerCatalog _catalog;
    private readonly PullDecisions _pulls;
    private readonly SlotStore _slots;
    private readonly LayerFileSystem _fileSystem;
    private readonly ILogger _logger;

    private readonly ConcurrentDictionary<long, bool> _verified = new(); // asked for at every Prepare; what is verified stays so

    // A slot is shown and its layer opened, or both go, in one step.
    private readonly SemaphoreSlim _gate = new(1);

    /// <param name="mountPoint">Where <see cref="FileSystem"/> is mounted.</param>
    /// <param name="silenceMax">Of a layer that is being got ready; then containerd is told that it is not served.</param>
    public LayerMounter(string mountPoint, LayerCatalog catalog, SlotStore slots, ILoggerFactory loggers, TimeSpan? silenceMax = null)
    {
        _mountPoint = mountPoint;
        _catalog = catalog;
        _slots = slots;
        _logger = loggers.CreateLogger<LayerMounter>();
        _pulls = new PullDecisions(catalog, silenceMax ?? PullDecisions.DefaultSilenceMax, TimeProvider.System, _logger);
        _fileSystem = new LayerFileSystem(OpenSlotAsync);
        foreach (var number in slots.Numbers())
        {
            _fileSystem.Register(number);
            if (slots.TryGet(number) is { } slot)
                catalog.TakeForPublished(slot.Layer, slot.IndexId, ImageReference.Parse(slot.Source).Name);
        }
    }

    /// <summary>A slot is gone: what the kernel keeps of it is to be forgotten (<see cref="Fuse.FuseSession.InvalidateEntry"/>).</summary>
    public event Action<long>? Released;

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

    public Task<MountedLayer> MountAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken) =>
        MountAsync(image, claim, lowerDirectories, _pulls.OpenAsync, cancellationToken);

    public Task<MountedLayer> MountVerifiedAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken) =>
        MountAsync(image, claim, lowerDirectories, _catalog.OpenVerifiedAsync, cancellationToken);

    public bool IsVerified(long layerId)
    {
        if (_verified.ContainsKey(layerId))
            return true;
        var isVerified = _slots.TryGet(layerId) is { } slot && _catalog.IsVerified(slot.Layer, slot.IndexId)
            && !_catalog.IsOfOtherVersion(slot.Layer, slot.IndexId);
        return isVerified && _verified.TryAdd(layerId, true);
    }

    public async Task<string?> AdmitAsync(long layerId, IReadOnlyList<RemoteImage> images, CancellationToken cancellationToken)
    {
        if (_slots.TryGet(layerId) is not { } slot)
            return $"slot {layerId} is gone";
        if (_catalog.IsOfOtherVersion(slot.Layer, slot.IndexId))
            return $"its index {slot.IndexId} is of a version of the format that this program does not read";
        var origins = new List<LayerOrigin>();
        foreach (var image in images)
        {
            if (ImageReference.TryParse(image.Reference, out var reference))
                origins.Add(new LayerOrigin(reference, image.ManifestDigest));
        }

        if (origins.Count > 0 && origins.Count == images.Count)
        {
            var published = await Task.WhenAll(
                origins.Select(origin => _catalog.IsPublishedAsync(origin, slot.Layer, slot.IndexId, cancellationToken)));
            if (Array.TrueForAll(published, isPublished => isPublished))
                return null;
        }

        try
        {
            var sources = origins.Select(origin => origin.Image).Prepend(ImageReference.Parse(slot.Source)).ToList();
            return await _catalog.VerifyAsync(sources, slot.Layer, slot.IndexId, cancellationToken);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return $"it could not be compared with the layer's whole blob: {e.Message}";
        }
    }

    public async Task<IReadOnlyList<Digest>> LayersOfAsync(RemoteImage image, CancellationToken cancellationToken)
    {
        try
        {
            return await _catalog.LayersOfAsync(
                new LayerOrigin(ImageReference.Parse(image.Reference), image.ManifestDigest), cancellationToken);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw new LayerUnavailableException(e.Message, e);
        }
    }

    public string DirectoryOf(long layerId) => Path.Combine(_mountPoint, layerId.ToString(CultureInfo.InvariantCulture));

    public LayerUsage UsageOf(long layerId) =>
        _slots.TryGet(layerId) is { } slot ? new LayerUsage(_catalog.StoredBytes(slot.Layer), Inodes: 1) : default;

    public async Task ReleaseAsync(long layerId, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_slots.Remove(layerId) is not { } slot)
                return;

            _fileSystem.Remove(layerId);
            if (!_slots.AnyFor(slot.Layer))
                await _catalog.RemoveAsync(slot.Layer);
            else if (!_slots.AnyFor(slot.Layer, slot.IndexId))
                await _catalog.RemoveAsync(slot.Layer, slot.IndexId);
            MountsLog.LayerReleased(_logger, slot.Layer, layerId);
        }
        finally
        {
            _gate.Release();
        }

        // Not inside the gate: the kernel first ends what is looked up in the directory, which may wait for the gate to open a slot.
        Released?.Invoke(layerId);
    }

    public void Dispose() => _gate.Dispose();

    /// <summary>Drops slots no snapshot refers to: what a crash between two steps of a removal left over.</summary>
    public async Task ReleaseUnusedAsync(IReadOnlySet<long> layersInUse, CancellationToken cancellationToken)
    {
        foreach (var slot in _slots.Numbers().Where(slot => !layersInUse.Contains(slot)))
            await ReleaseAsync(slot, cancellationToken);
    }

    private static bool IsExpected(Exception e) =>
        e is FormatException || IndexAcquisition.IsExpected(e);

    private async Task<MountedLayer> MountAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories,
        Func<LayerOrigin, Digest, CancellationToken, Task<LazyLayer>> open, CancellationToken cancellationToken)
    {
        try
        {
            var reference = ImageReference.Parse(image.Reference);
            UseCredentials(image, reference);
            var opened = await open(new LayerOrigin(reference, image.ManifestDigest), claim.Layer, cancellationToken);
            CheckClaim(claim, opened.Index);
            XattrRoom.Check(opened.Toc);
            var inherited = ImplicitDirectoryResolver.Resolve(opened.Toc, lowerDirectories);
            // By the manifest the layer's index can be found again when the tag has moved on.
            var source = reference with { Digest = image.ManifestDigest ?? reference.Digest };
            var slot = await ShowAsync(source, opened, inherited, cancellationToken);
            MountsLog.LayerMounted(_logger, claim.Layer, slot.Number, slot.IndexId);
            return new MountedLayer(slot.Number, DirectoryOf(slot.Number));
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw new LayerUnavailableException(e.Message, e) { IsTold = e is RegistryTroubleException };
        }
    }

    private static void CheckClaim(LayerClaim claim, LayerIndex index)
    {
        // containerd refuses a blob of another length when it has fetched it; so it must come to that.
        if (claim.Bytes is { } bytes && bytes != index.Spans.CompressedLength)
            throw new InvalidDataException($"{claim.Layer} has {index.Spans.CompressedLength} bytes, the image's manifest says {bytes}");
        if (index.DiffId is not { } diffId)
            throw new InvalidDataException($"{claim.Layer}: its index {index.Id} does not say what the layer unpacks to");
        if (!claim.IsTrueOf(diffId))
        {
            throw new InvalidDataException(
                $"{claim.Layer}: it unpacks to {diffId}, which does not make {claim.Chain} " +
                    $"of {(claim.ParentChain.Length == 0 ? "nothing" : claim.ParentChain)}: "
                + "the image's configuration names another diff ID");
        }
    }

    private async Task<LayerSlot> ShowAsync(
        ImageReference image, LazyLayer layer, ImplicitDirectories inherited, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Opened again: a release may have closed it since. What it dropped is fetched anew when it is read.
            var opened = await _catalog.TryOpenAsync(image, layer.Digest, layer.Index.Id, cancellationToken)
                ?? throw new IOException($"{layer.Digest}: its index went away while it was mounted");
            var slot = _slots.GetOrAdd(layer.Digest, opened.Index.Id, inherited.ToBytes(), image.ToString());
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
            _catalog.UseCredentials(reference, credentials.Username, credentials.Secret);
    }

    // One line per image start with what it cost at registries, other images' requests at the same time included.
    private async Task PrepareAllAsync(LayerOrigin origin, IReadOnlyList<Digest> layers)
    {
        var started = Stopwatch.GetTimestamp();
        var before = _catalog.RegistryCounts;
        await Task.WhenAll(layers.Select(layer => PrepareAsync(origin, layer)));
        var image = origin.Image.ToString();
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var cost = _catalog.RegistryCounts.Since(before).ToString();
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

    // Of a slot that an earlier process gave out. A release waits, or has been before: nothing is opened for a slot that is gone.
    private async Task<LayerDirectory?> OpenSlotAsync(long number)
    {
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            if (_slots.TryGet(number) is not { } slot)
                return null;

            var image = ImageReference.Parse(slot.Source);
            // Another index would give the kernel's node ids another meaning.
            if (await _catalog.TryOpenAsync(image, slot.Layer, slot.IndexId, CancellationToken.None) is { } layer)
                return new LayerDirectory(number, layer, ImplicitDirectories.FromBytes(slot.Inherited));

            if (_catalog.Recover(image, slot.Layer, slot.IndexId, () => _slots.TryGet(number) is not null))
                MountsLog.SlotWaitsForIndex(_logger, number, slot.IndexId, slot.Layer);
            throw new IOException(
                $"{slot.Layer}: the index {slot.IndexId} that slot {number} was made with is not here, it is being obtained");
        }
        finally
        {
            _gate.Release();
        }
    }
}
