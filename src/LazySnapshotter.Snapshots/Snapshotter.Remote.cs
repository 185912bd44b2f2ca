using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots;

// Layers served lazily. containerd prepares each layer of an image with labels that say where it comes from and under
// which name it will look for it (the target: the chain ID). If the layer can be mounted, it is committed here and now,
// and containerd, which is told so, goes on to the next one without fetching anything. If it cannot, the answer is an
// ordinary snapshot to unpack into: a pull never fails because of us.
public sealed partial class Snapshotter
{
    /// <returns>The target is there, made now or earlier.</returns>
    private async Task<bool> TryServeLazilyAsync(
        RemoteTarget target, string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        // Mistakes in the request are told before anything is mounted.
        var parents = _store.ContentsOfParent(parent);
        if (_store.Exists(key))
            throw new SnapshotExistsException($"snapshot \"{key}\": already exists");

        // Two clients that prepare the same target: the second finds what the first one made.
        await _admission!.AdmitAsync(parent, _ => Task.FromResult<IReadOnlyList<RemoteImage>?>([target.Image]), cancellationToken);
        using var _ = await _targets.EnterAsync(target.Name + "\n" + parent, cancellationToken);
        if (_store.FindTarget(target.Name, parent) is not null)
            return true;

        try
        {
            _announced!.AnnounceOnce(target.Image, target.Layer);
            var claim = new LayerClaim(target.Layer, parents.Count > 0 ? parents[0].Chain : "", target.Name) { Bytes = target.LayerBytes };
            var below = parents.Select(_mounts.DirectoryOf).ToList();
            await _layers!.MountAndRecordAsync(
                () => _mounter!.MountAsync(target.Image, claim, below, cancellationToken),
                layer => _store.TryCreateRemote(_store.NextId(), target.Name, parent, RemoteLabels(labels), layer.Id));
        }
        catch (Exception e) when (e is not SnapshotException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SnapshotsLog.RemoteSnapshotNotPrepared(_logger, target.Name, target.Layer, target.Image, e);
            return false;
        }

        SnapshotsLog.RemoteSnapshotPrepared(_logger, target.Name, target.Layer, target.Image);
        return true;
    }

    // The row is gone: whatever goes wrong now is ours alone, the client's snapshot is removed.
    private async Task ReleaseLayerAsync(long layerId, string key)
    {
        try
        {
            if (_layers is not null)
                await _layers.ReleaseIfUnusedAsync(layerId);
        }
        catch (Exception e)
        {
            SnapshotsLog.LayerNotReleased(_logger, layerId, key, e);
        }
    }

    private static Dictionary<string, string> RemoteLabels(IReadOnlyDictionary<string, string> labels) =>
        new(labels, StringComparer.Ordinal) { [SnapshotLabels.Remote] = SnapshotLabels.RemoteValue };
}
