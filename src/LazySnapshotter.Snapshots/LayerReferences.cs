using LazySnapshotter.Snapshots.Metadata;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots;

// Keeps the mounter's layers and the rows that name them in step. Between the mounter's answer and the row, a layer
// may lose its last other row and be released; a row must never name a layer that is gone, and a layer without a row
// must not stay.
//
// _recording is held over a row's insertion and over a release, never over a mount: mounts take as long as the network.
internal sealed class LayerReferences(ILayerMounter mounter, SnapshotStore store) : IDisposable
{
    // Each attempt was overtaken by a removal of the very layer it mounted: more than two are no coincidence.
    private const int AttemptsMax = 3;

    private readonly SemaphoreSlim _recording = new(1);
    private readonly HashSet<long> _releasedMeanwhile = [];
    private int _mountsUnderWay;

    /// <param name="record">Writes the row; false if it is not wanted any more.</param>
    public async Task<bool> MountAndRecordAsync(Func<Task<MountedLayer>> mount, Func<MountedLayer, bool> record)
    {
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            await EnterAsync(() => _mountsUnderWay++);
            MountedLayer? mounted = null;
            try
            {
                mounted = await mount();
            }
            finally
            {
                if (mounted is null)
                    await EnterAsync(MountEnded);
            }

            if (await TryRecordAsync(mounted, record) is { } recorded)
                return recorded;
        }

        throw new LayerUnavailableException($"the layer was released {AttemptsMax} times while it was mounted");
    }

    public async Task ReleaseIfUnusedAsync(long layerId)
    {
        // What was begun is finished: a client that goes away now must not leave a layer behind.
        await _recording.WaitAsync(CancellationToken.None);
        try
        {
            await ReleaseIfUnusedLockedAsync(layerId);
        }
        finally
        {
            _recording.Release();
        }
    }

    public void Dispose() => _recording.Dispose();

    // Null: the layer is gone already, mount it again.
    private async Task<bool?> TryRecordAsync(MountedLayer mounted, Func<MountedLayer, bool> record)
    {
        await _recording.WaitAsync(CancellationToken.None);
        try
        {
            if (_releasedMeanwhile.Contains(mounted.Id))
                return null;
            var recorded = false;
            try
            {
                recorded = record(mounted);
            }
            finally
            {
                if (!recorded)
                    await ReleaseIfUnusedLockedAsync(mounted.Id);
            }

            return recorded;
        }
        finally
        {
            MountEnded();
            _recording.Release();
        }
    }

    private async Task ReleaseIfUnusedLockedAsync(long layerId)
    {
        if (_releasedMeanwhile.Contains(layerId) || store.IsLayerUsed(layerId))
            return;
        if (_mountsUnderWay > 0)
            _releasedMeanwhile.Add(layerId);
        await mounter.ReleaseAsync(layerId, CancellationToken.None);
    }

    private void MountEnded()
    {
        if (--_mountsUnderWay == 0)
            _releasedMeanwhile.Clear();
    }

    private async Task EnterAsync(Action action)
    {
        await _recording.WaitAsync(CancellationToken.None);
        try
        {
            action();
        }
        finally
        {
            _recording.Release();
        }
    }
}
