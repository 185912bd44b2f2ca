using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Reading;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

// Fetches what a layer's index says will be wanted first, in the background, while the container is still being made.
// Whatever goes wrong costs the reads that come later their time, nothing else.
internal static class LayerWarmUp
{
    /// <summary>Never fails.</summary>
    public static async Task RunAsync(
        LazyLayer layer, SpanReader reader, IReadOnlyList<SpanRangeToWarm> ranges, ILogger logger, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var started = TimeProvider.System.GetTimestamp();
        var spans = layer.Index.Spans;
        var count = 0;
        try
        {
            foreach (var range in ranges)
            {
                var start = spans[range.First].UncompressedOffset;
                var last = spans[range.Last];
                await reader.WarmAsync(start, last.UncompressedOffset + last.UncompressedLength - start, cancellationToken);
                count += range.Last.Value - range.First.Value + 1;
            }

            var elapsed = TimeProvider.System.GetElapsedTime(started);
            NodeLog.LayerWarmed(logger, layer.Digest, count, elapsed);
        }
        catch (OperationCanceledException)
        {
            // The layer is being closed.
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            NodeLog.LayerNotWarmed(logger, layer.Digest, e.Message);
        }
    }
}
