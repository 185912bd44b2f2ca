using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts;

internal static partial class MountsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} was streamed and indexed in {Elapsed}")]
    public static partial void LayerIndexed(ILogger logger, Digest layer, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer} of {Image}: no index from source \"{Source}\": {Reason}")]
    public static partial void IndexNotObtained(ILogger logger, Digest layer, ImageReference image, string source, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer}: {SpanCount} spans that its index says are wanted first are here after {Elapsed}")]
    public static partial void LayerWarmed(ILogger logger, Digest layer, int spanCount, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer}: not all spans that its index says are wanted first could be fetched ahead: {Reason}")]
    public static partial void LayerNotWarmed(ILogger logger, Digest layer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} is shown in slot {Slot} by index {IndexId}")]
    public static partial void LayerMounted(ILogger logger, Digest layer, long slot, string indexId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} left slot {Slot}")]
    public static partial void LayerReleased(ILogger logger, Digest layer, long slot);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer} of {Image} could not be prepared ahead: {Reason}")]
    public static partial void LayerNotPrepared(ILogger logger, Digest layer, string image, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The index of layer {Layer} is damaged, it will be obtained anew: {Damage}")]
    public static partial void IndexDamaged(ILogger logger, Digest layer, string damage);

    [LoggerMessage(Level = LogLevel.Error, Message = "Slot {Slot} cannot be shown: {Reason}")]
    public static partial void SlotNotShown(ILogger logger, long slot, string reason);
}
