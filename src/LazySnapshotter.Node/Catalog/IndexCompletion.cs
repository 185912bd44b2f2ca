using LazySnapshotter.Layers.Format;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

// Gets the rest of an index whose front was enough to mount. As long as it is not all here, a daemon that restarts has
// no index for the layer's slots; so it is tried until it is here or the layer is closed.
internal static class IndexCompletion
{
    /// <summary>Never fails.</summary>
    public static async Task RunAsync(LayerIndex index, BackoffTimes times, ILogger logger, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(times);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await index.FetchAllAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return; // the layer is being closed
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                NodeLog.IndexNotComplete(logger, index.LayerDigest, index.Id, e.Message);
            }

            await backoff.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
