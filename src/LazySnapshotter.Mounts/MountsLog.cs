using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts;

internal static partial class MountsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} is shown in slot {Slot} by index {IndexId}")]
    public static partial void LayerMounted(ILogger logger, Digest layer, long slot, string indexId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} left slot {Slot}")]
    public static partial void LayerReleased(ILogger logger, Digest layer, long slot);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer} of {Image} could not be prepared ahead: {Reason}")]
    public static partial void LayerNotPrepared(ILogger logger, Digest layer, string image, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Slot {Slot}: index {IndexId} of layer {Layer} is not on this node, it is " +
        "obtained again in the background; reads fail with EIO until it is here")]
    public static partial void SlotWaitsForIndex(ILogger logger, long slot, string indexId, Digest layer);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Image}: {Layers} layers got ready in {Seconds:F2} s: {Counts}")]
    public static partial void ImagePrepared(ILogger logger, string image, int layers, double seconds, string counts);
}
