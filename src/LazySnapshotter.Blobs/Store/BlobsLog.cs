using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Blobs.Store;

// What the reading path of this project has to tell the person on call.
internal static partial class BlobsLog
{
    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Layer}: stored span {Span} (bytes {Offset}+{Length}) is damaged and will be fetched again: {Reason}")]
    public static partial void StoredSpanDamaged(ILogger logger, Digest layer, SpanId span, long offset, long length, string reason);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Layer}: span {Span} (bytes {Offset}+{Length}) arrived with a wrong digest, attempt {Attempt}")]
    public static partial void FetchedSpanDamaged(ILogger logger, Digest layer, SpanId span, long offset, long length, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Layer}: transfer broke at span {Span}, attempt {Attempt}: {Reason}")]
    public static partial void TransferBroke(ILogger logger, Digest layer, SpanId span, int attempt, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Layer}: read-ahead of spans {First} to {Last} failed: {Reason}")]
    public static partial void ReadAheadFailed(ILogger logger, Digest layer, int first, int last, string reason);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "{Layer}: the source sends all of it for a part, and all of it is taken: {Bytes} bytes")]
    public static partial void SpoolBegins(ILogger logger, Digest layer, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Layer}: came as a whole, complete on this node: {IsComplete}")]
    public static partial void SpoolEnds(ILogger logger, Digest layer, bool isComplete);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Layer}: nobody waits for it any more, given up at span {Span} of {Count}")]
    public static partial void SpoolGivenUp(ILogger logger, Digest layer, int span, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Layer}: what came as a whole is not the layer: {Actual}")]
    public static partial void SpoolIsNotTheLayer(ILogger logger, Digest layer, string actual);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path}: fetched bytes cannot be stored and are served from memory: {Reason}")]
    public static partial void StoreRefuses(ILogger logger, string path, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Path}: fetched bytes are stored again")]
    public static partial void StoreAccepts(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path}: cannot be removed: {Reason}")]
    public static partial void LeftoverStays(ILogger logger, string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path}: span states cannot be used, starting empty: {Reason}")]
    public static partial void SpanStatesUnusable(ILogger logger, string path, string reason);
}
