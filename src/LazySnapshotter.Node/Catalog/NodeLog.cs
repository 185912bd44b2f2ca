using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

internal static partial class NodeLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer} was streamed and indexed in {Elapsed}")]
    public static partial void LayerIndexed(ILogger logger, Digest layer, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer} of {Image}: no index from source \"{Source}\": {Reason}")]
    public static partial void IndexNotObtained(ILogger logger, Digest layer, ImageReference image, string source, string reason);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Layer {Layer}: {SpanCount} spans that its index says are wanted first are here after {Elapsed}")]
    public static partial void LayerWarmed(ILogger logger, Digest layer, int spanCount, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: not all spans that its index says are wanted first could be fetched ahead: {Reason}")]
    public static partial void LayerNotWarmed(ILogger logger, Digest layer, string reason);

    [LoggerMessage(Message = "{Image}: what is not on this node is not served lazily, containerd fetches it: {Reason}")]
    public static partial void ImageNotLazy(ILogger logger, LogLevel level, ImageReference image, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "An index is damaged, it will be obtained anew: {Damage}")]
    public static partial void IndexDamaged(ILogger logger, string damage);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: index {IndexId} is not all here yet, which a restart would need; it is tried again: {Reason}")]
    public static partial void IndexNotComplete(ILogger logger, Digest layer, string indexId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Layer {Layer}: index {IndexId} is here again, from source \"{Source}\"")]
    public static partial void IndexRecovered(ILogger logger, Digest layer, string indexId, string source);

    [LoggerMessage(Level = LogLevel.Error, Message = "Layer {Layer}: no source has index {IndexId} any more, asked for {Image}; what was " +
        "mounted by it fails with EIO where the index is needed")]
    public static partial void IndexNotRecovered(ILogger logger, Digest layer, string indexId, ImageReference image);

    [LoggerMessage(Level = LogLevel.Error, Message = "Layer {Layer}: its index could not be obtained again")]
    public static partial void RecoveryFailed(ILogger logger, Exception cause, Digest layer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Layer {Layer}: span {Span} as index {IndexId} describes it is not what the " +
        "registry gives; one of them is wrong. The next mount of the layer finds out which")]
    public static partial void IndexMismatch(ILogger logger, Digest layer, string indexId, int span);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Layer {Layer}: every span of index {IndexId} fits the whole blob, it stays in use")]
    public static partial void IndexVerified(ILogger logger, Digest layer, string indexId);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: whether index {IndexId} is wrong could not be found out, it stays in use: {Reason}")]
    public static partial void IndexNotCompared(ILogger logger, Digest layer, string indexId, string reason);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: index {IndexId} is wrong and not used for new mounts any more, kept as {Path}: {What}")]
    public static partial void IndexQuarantined(ILogger logger, Digest layer, string indexId, string path, string what);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Layer {Layer}: the whole blob on this node is of no use for an index, the registry is asked: {Reason}")]
    public static partial void StoredBlobUnfit(ILogger logger, Digest layer, string reason);
}
