using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Library;

// Gets one certain index again: a slot was made with it and stands for it for ever, so no other will do (DESIGN D3). Every
// source is asked, the one that builds included: what our own builder made it makes again, byte for byte. A source
// that came back with another index is not asked twice, it would cost a layer's download each time; one that has none
// now, or could not answer, is, until it has or nobody wants the index any more.
internal sealed class IndexRecovery(IReadOnlyList<ILayerIndexSource> sources, BackoffTimes times, ILogger logger)
{
    /// <summary>The index, open; null if no source has it, or it is not wanted any more. The log says which.</summary>
    public async Task<ObtainedIndex?> RunAsync(
        LayerOrigin origin, Digest layer, string identity, Func<bool> isWanted, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(times);
        var asked = sources.ToList();
        while (isWanted())
        {
            foreach (var source in asked.ToArray())
            {
                try
                {
                    var obtained = await source.ObtainAsync(origin, layer, identity, cancellationToken);
                    if (obtained?.Index.Id == identity)
                    {
                        NodeLog.IndexRecovered(logger, layer, identity, source.Name);
                        return obtained;
                    }

                    if (obtained is not null)
                    {
                        asked.Remove(source);
                        NodeLog.IndexNotObtained(
                            logger, layer, origin.Image, source.Name, $"its index is {obtained.Index.Id}, {identity} is wanted");
                        obtained.Index.Dispose();
                    }
                }
                catch (Exception e)
                    when (e is IOException or InvalidDataException or UnsupportedLayerException or UnauthorizedAccessException)
                {
                    NodeLog.IndexNotObtained(logger, layer, origin.Image, source.Name, e.Message);
                    if (e is UnsupportedLayerException)
                        asked.Remove(source);
                }
            }

            if (asked.Count == 0)
            {
                NodeLog.IndexNotRecovered(logger, layer, identity, origin.Image);
                return null;
            }

            await backoff.WaitAsync(cancellationToken);
        }

        return null;
    }
}
