using LazySnapshotter.Linux;
using LazySnapshotter.Snapshots.Directories;
using LazySnapshotter.Snapshots.Filters;
using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots;

// containerd's snapshotter (its core/snapshots, Snapshotter), with overlayfs underneath. A client prepares an active
// snapshot on a committed one, mounts it, fills it, and commits it under a name; views are for looking. What is
// special is in Snapshotter.Remote.cs: a layer that can be served lazily is committed on the spot, without the client
// having to fill it.
//
// Rows and directories are kept in step by order: directories come before the row that needs them and go after it, so
// that a crash leaves at most directories nobody refers to. No transaction is open while files or the network are
// worked on. Safe for concurrent use; how two calls on one name end is decided by their transactions.
public sealed partial class Snapshotter : IAsyncDisposable
{
    private readonly SnapshotStore _store;
    private readonly SnapshotDirectories _directories;
    private readonly OverlayMounts _mounts;
    private readonly Trash _trash;
    private readonly ILogger _logger;
    private readonly ILayerMounter? _mounter;
    private readonly LayerReferences? _layers;
    private readonly AnnouncedImages? _announced;
    private readonly LayerAdmission? _admission;
    private readonly ISnapshotImages? _images;
    private readonly KeyedLock _targets = new();

    /// <param name="root">Directory for snapshots; colons, commas, quotes and backslashes cannot stand in its path.</param>
    /// <param name="database">Outlives the snapshotter.</param>
    /// <param name="mounter">Null: every layer is an ordinary one.</param>
    /// <param name="images">Null: it is never known for which image a container is.</param>
    public Snapshotter(string root, MetadataDatabase database, ILayerMounter? mounter, ISnapshotImages? images, ILogger<Snapshotter> logger)
    {
        _logger = logger;
        _mounter = mounter;
        _images = images;
        _store = new SnapshotStore(database);
        _directories = new SnapshotDirectories(root);
        _mounts = new OverlayMounts(_directories, LayerDirectory, OverlayMounts.DetectOptions(Path.GetFullPath(root)));
        _trash = new Trash(logger);
        if (mounter is not null)
        {
            _layers = new LayerReferences(mounter, _store);
            _announced = new AnnouncedImages(mounter);
            _admission = new LayerAdmission(mounter, _store, _layers, _mounts, logger);
        }

        CollectOrphans();
    }

    /// <summary>Layers that snapshots refer to; whatever else the mounter keeps is left over from a crash.</summary>
    public IReadOnlySet<long> LayersInUse() => _store.LayerIds();

    /// <summary>
    /// A writable snapshot; or, with the labels of a layer that can be served lazily, the layer itself, committed.
    /// </summary>
    /// <exception cref="SnapshotExistsException">The key is taken.</exception>
    public async Task<PreparedSnapshot> PrepareAsync(
        string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotLimits.CheckName(key, "key");
        SnapshotLimits.CheckLabels(labels);
        if (_mounter is null || !RemoteTarget.TryParse(labels, out var target))
            await AdmitAsync(parent, labels, cancellationToken);
        else if (await TryServeLazilyAsync(target!, key, parent, labels, cancellationToken))
            return new PreparedSnapshot.Committed(target!.Name);
        return new PreparedSnapshot.Active(Create(SnapshotKind.Active, key, parent, labels));
    }

    public async Task<IReadOnlyList<SnapshotMount>> ViewAsync(
        string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotLimits.CheckName(key, "key");
        SnapshotLimits.CheckLabels(labels);
        await AdmitAsync(parent, labels, cancellationToken);
        return Create(SnapshotKind.View, key, parent, labels);
    }

    /// <summary>How to mount a view or an active snapshot, again and again with the same answer.</summary>
    public IReadOnlyList<SnapshotMount> Mounts(string key)
    {
        var chain = _store.GetChain(key);
        return chain.Snapshot.Info.Kind != SnapshotKind.Committed
            ? _mounts.Of(chain)
            : throw new SnapshotStateException($"snapshot \"{key}\" is committed, not active or view");
    }

    /// <param name="parent">Gives a parent to a snapshot that was prepared without one; empty for none.</param>
    public void Commit(
        string name, string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        SnapshotLimits.CheckName(name, "name");
        SnapshotLimits.CheckLabels(labels);
        // Counted before the transaction and outside of it. Whether the snapshot may be committed is the store's to say.
        var snapshot = _store.Get(key);
        var usage = snapshot.Info.Kind == SnapshotKind.Active ? UsageOfFiles(snapshot.Id, cancellationToken) : default;
        _store.Commit(name, key, parent, labels, usage);
    }

    public async Task RemoveAsync(string key)
    {
        var removed = _store.Remove(key);
        if (removed.LayerId is { } layerId)
            await ReleaseLayerAsync(layerId, key);
        else
            Discard(removed.Id);
    }

    public SnapshotInfo Stat(string key) => _store.Get(key).Info;

    /// <summary>Changes labels, the only thing of a snapshot that can change.</summary>
    /// <param name="fieldPaths"><c>labels</c>, or <c>labels.KEY</c> any number of times; none stands for <c>labels</c>.</param>
    public SnapshotInfo Update(string name, IReadOnlyDictionary<string, string> labels, IReadOnlyList<string> fieldPaths)
    {
        SnapshotLimits.CheckLabels(labels);
        return _store.UpdateLabels(name, existing => LabelUpdate.Apply(name, existing, labels, fieldPaths));
    }

    /// <summary>All snapshots that one of the filters matches; all there are, where there is no filter.</summary>
    public IEnumerable<SnapshotInfo> List(IReadOnlyList<string> filters)
    {
        SnapshotLimits.CheckFilters(filters);
        var matches = SnapshotFilter.ParseAny(filters);
        return _store.List().Select(record => record.Info).Where(matches);
    }

    /// <summary>An active snapshot is counted now, a committed one was counted at its commit.</summary>
    public SnapshotUsage Usage(string key, CancellationToken cancellationToken)
    {
        var snapshot = _store.Get(key);
        if (snapshot.LayerId is { } layerId)
        {
            var layer = _mounter?.UsageOf(layerId) ?? default;
            return new SnapshotUsage(layer.Bytes, layer.Inodes);
        }

        return snapshot.Info.Kind == SnapshotKind.Active ? UsageOfFiles(snapshot.Id, cancellationToken) : snapshot.Usage;
    }

    /// <summary>Frees what removed snapshots took; returns when it is free.</summary>
    public async Task CleanupAsync(CancellationToken cancellationToken)
    {
        CollectOrphans();
        await _trash.WaitUntilEmptyAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _trash.DisposeAsync();
        _admission?.Dispose();
        _layers?.Dispose();
    }

    // A client that unpacks a layer (it names its target) and does not say of which image has not yet told containerd either.
    private Task AdmitAsync(string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        _admission?.AdmitAsync(
            parent,
            chain => _images is null || labels.ContainsKey(SnapshotLabels.SnapshotRef)
                ? Task.FromResult<IReadOnlyList<RemoteImage>?>(null)
                : _images.FindAsync(chain, cancellationToken),
            cancellationToken)
        ?? Task.CompletedTask;

    private IReadOnlyList<SnapshotMount> Create(SnapshotKind kind, string key, string parent, IReadOnlyDictionary<string, string> labels)
    {
        var parents = _store.ContentsOfParent(parent);
        var id = _store.NextId();
        _directories.Create(
            id, withWork: kind == SnapshotKind.Active, ownerFrom: parents.Count > 0 ? _mounts.DirectoryOf(parents[0]) : null);
        SnapshotChain chain;
        try
        {
            chain = _store.Create(id, kind, key, parent, labels);
        }
        catch
        {
            Discard(id);
            throw;
        }
        finally
        {
            _directories.Settled(id);
        }

        return _mounts.Of(chain);
    }

    // No row refers to the directory any more, so what cannot be moved now Cleanup finds later.
    private void Discard(long id)
    {
        try
        {
            if (_directories.MoveToTrash(id) is { } path)
                _trash.Add(path);
        }
        catch (IOException e)
        {
            SnapshotsLog.DirectoryNotDeleted(_logger, _directories.FilesOf(id), e);
        }
    }

    private SnapshotUsage UsageOfFiles(long id, CancellationToken cancellationToken)
    {
        var (bytes, inodes) = DirectoryTree.Usage(_directories.FilesOf(id), cancellationToken);
        return new SnapshotUsage(bytes, inodes);
    }

    private void CollectOrphans()
    {
        var orphans = _directories.CollectOrphans(_store.Ids).Count(_trash.Add);
        if (orphans > 0)
            SnapshotsLog.OrphansFound(_logger, orphans);
    }

    private string LayerDirectory(long layerId) =>
        (_mounter ?? throw new SnapshotStateException($"layer {layerId} was mounted lazily, which is switched off now"))
            .DirectoryOf(layerId);
}
