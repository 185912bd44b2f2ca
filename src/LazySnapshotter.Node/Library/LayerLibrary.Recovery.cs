using LazySnapshotter.Artifacts;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Library;

// Indexes that something stands on and that went away, or turned out damaged, are obtained again in the background.
public sealed partial class LayerLibrary
{
    private readonly Dictionary<string, Task> _recovering = []; // by the identity of the index
    private readonly IndexRecovery _recovery;

    /// <summary>
    /// Starts to obtain an index that is not on this node any more, and to open its layer by it, unless that is under way
    /// already. Returns at once; <see cref="TryOpen(ImageReference, Digest, string)"/> finds it when it is here.
    /// </summary>
    /// <param name="isWanted">Asked before each attempt.</param>
    /// <returns>It was started now.</returns>
    public bool Recover(ImageReference image, Digest layer, string identity, Func<bool> isWanted) =>
        StartRecovery(layer, identity, async cancellationToken =>
        {
            var origin = new LayerOrigin(image, Manifest: null);
            bool IsMissing() => isWanted() && TryOpen(image, layer, identity) is null;
            if (await _recovery.RunAsync(origin, layer, identity, IsMissing, cancellationToken) is { } obtained)
                Open(image, obtained);
        });

    // An open layer goes on with what of its index is whole. The rest works again as soon as the same index is in its place.
    private void OnDamaged(Digest layer, string identity, string damage)
    {
        NodeLog.IndexDamaged(_logger, damage);
        OpenLayer? open;
        lock (_gate)
            _open.TryGetValue(identity, out open);
        if (open?.Image is not { } image)
            return;

        StartRecovery(layer, identity, async cancellationToken =>
        {
            if (await _recovery.RunAsync(
                new LayerOrigin(image, Manifest: null), layer, identity, () => IsOpen(open), cancellationToken) is not { } obtained)
                return;
            using var index = obtained.Index;
            await IndexCompletion.RunAsync(index, _options.Retrying, _logger, cancellationToken);
        });
    }

    private bool IsOpen(OpenLayer layer)
    {
        lock (_gate)
            return _open.GetValueOrDefault(layer.Layer.Index.Id) == layer;
    }

    private bool StartRecovery(Digest layer, string identity, Func<CancellationToken, Task> recover)
    {
        lock (_gate)
        {
            if (_lifetime.IsCancellationRequested || _recovering.ContainsKey(identity))
                return false;
            _recovering[identity] = Task.Run(() => RunAsync(_lifetime.Token));
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
                NodeLog.RecoveryFailed(_logger, e, layer);
            }
            finally
            {
                lock (_gate)
                    _recovering.Remove(identity);
            }
        }
    }
}
