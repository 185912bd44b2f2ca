using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Mounts;

internal static partial class MountsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} was streamed and indexed in {Elapsed}")]
    public static partial void LayerIndexed(ILogger logger, Digest layer, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} is shown in slot {Slot} by index {IndexId}")]
    public static partial void LayerMounted(ILogger logger, Digest layer, long slot, string indexId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} left slot {Slot}")]
    public static partial void LayerReleased(ILogger logger, Digest layer, long slot);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer} of {Image} could not be prepared ahead: {Reason}")]
    public static partial void LayerNotPrepared(ILogger logger, Digest layer, string image, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The index of layer {Layer} is damaged and will be made anew: {Damage}")]
    public static partial void IndexDamaged(ILogger logger, Digest layer, string damage);

    [LoggerMessage(Level = LogLevel.Error, Message = "Slot {Slot} cannot be shown: {Reason}")]
    public static partial void SlotNotShown(ILogger logger, long slot, string reason);
}
