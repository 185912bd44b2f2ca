using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Catalog;

// Indexes that something stands on and that went away, or turned out damaged, are obtained again in the background: a slot was
// made with one and stands for it for ever, so no other will do (DESIGN D3).
internal sealed partial class Layer
{
    private readonly Lock _recoveries = new();
    private readonly Dictionary<string, Task> _recovering = []; // by the identity of the index

    /// <inheritdoc cref="LayerCatalog.Recover"/>
    public bool Recover(ImageReference image, string identity, Func<bool> isWanted)
    {
        return StartRecovery(identity, async cancellationToken =>
        {
            if (await RecoverAsync(image, identity, () => IsMissingAsync(cancellationToken), cancellationToken) is { } obtained)
                await OpenAsync(image, obtained);
        });

        // Somebody may have put it back.
        async Task<bool> IsMissingAsync(CancellationToken cancellationToken) =>
            isWanted() && await TryOpenAsync(image, identity, cancellationToken) is null;
    }

    /// <summary>An index in use turned out damaged. What of it is whole goes on; the rest works again when it is here again.</summary>
    public void OnDamaged(string identity, string damage)
    {
        NodeLog.IndexDamaged(node.Logger, damage);
        if (_open.FirstOrDefault(each => each.Identity == identity) is not { } open)
            return;

        StartRecovery(identity, async cancellationToken =>
        {
            var obtained = await RecoverAsync(open.Image, identity, () => Task.FromResult(_open.Contains(open)), cancellationToken);
            if (obtained is null)
                return;
            using var index = obtained.Index;
            await IndexCompletion.RunAsync(index, node.Options.Retrying, node.Logger, cancellationToken);
        });
    }

    // Every source is asked, the one that builds included: what our own builder made it makes again, byte for byte. A source that
    // came back with another index is not asked twice, it would cost a layer's download each time; one that has none now, or
    // could not answer, is, until it has or nobody wants the index any more.
    private async Task<ObtainedIndex?> RecoverAsync(
        ImageReference image, string identity, Func<Task<bool>> isWanted, CancellationToken cancellationToken)
    {
        var origin = new LayerOrigin(image, Manifest: null);
        var backoff = new Backoff(node.Options.Retrying);
        var asked = node.Acquisition.Sources.ToHashSet();
        while (await isWanted())
        {
            await foreach (var answer in node.Acquisition.AskAsync(origin, digest, identity, asked.Contains, cancellationToken))
            {
                var source = answer.Source;
                if (answer.Obtained?.Index.Id == identity)
                {
                    NodeLog.IndexRecovered(node.Logger, digest, identity, source.Name);
                    return answer.Obtained;
                }

                var reason = answer.Obtained is { } other
                    ? $"its index is {other.Index.Id}, {identity} is wanted"
                    : answer.Failure?.Message;
                if (answer.Obtained is not null || answer.Failure is UnsupportedLayerException)
                    asked.Remove(source);
                answer.Obtained?.Index.Dispose();
                if (reason is not null)
                    NodeLog.IndexNotObtained(node.Logger, digest, image, source.Name, reason);
            }

            if (asked.Count == 0)
            {
                NodeLog.IndexNotRecovered(node.Logger, digest, identity, image);
                return null;
            }

            await backoff.WaitAsync(cancellationToken);
        }

        return null;
    }

    private bool StartRecovery(string identity, Func<CancellationToken, Task> recover)
    {
        lock (_recoveries)
        {
            if (node.Stopping.IsCancellationRequested || _recovering.ContainsKey(identity))
                return false;
            _recovering[identity] = Task.Run(() => RunAsync(node.Stopping));
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
                // The process ends.
            }
            catch (Exception e)
            {
                NodeLog.RecoveryFailed(node.Logger, e, digest);
            }
            finally
            {
                lock (_recoveries)
                    _recovering.Remove(identity);
            }
        }
    }

    private Task EndRecoveriesAsync()
    {
        lock (_recoveries)
            return Task.WhenAll(_recovering.Values);
    }
}
