using System.Collections;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots.Model;

internal static partial class SnapshotsLog
{
    [LoggerMessage(EventId = 200, Level = LogLevel.Warning, Message = "Directory {Path} could not be deleted")]
    public static partial void DirectoryNotDeleted(ILogger logger, string path, Exception exception);

    [LoggerMessage(EventId = 201, Level = LogLevel.Error, Message = "Layer {LayerId} of removed snapshot {Key} could not be released")]
    public static partial void LayerNotReleased(ILogger logger, long layerId, string key, Exception exception);

    [LoggerMessage(
        EventId = 202, Level = LogLevel.Information, Message = "{Count} directories that belong to no snapshot are being deleted")]
    public static partial void OrphansFound(ILogger logger, int count);

    [LoggerMessage(EventId = 205, Level = LogLevel.Warning,
        Message = "{Chain}: the layer that is shown for it is not shown to another image: {Reason}")]
    public static partial void LayerRefused(ILogger logger, string chain, string reason);

    [LoggerMessage(EventId = 206, Level = LogLevel.Warning,
        Message = "{Chain} is shown by layer {Layer} of {Image} from now on, whose whole blob was seen")]
    public static partial void LayerRemounted(ILogger logger, string chain, Digest layer, string image);

    public static void RemoteSnapshotPrepared(ILogger logger, string target, Digest layer, RemoteImage image) =>
        logger.Log(
            LogLevel.Information, new EventId(203, nameof(RemoteSnapshotPrepared)),
            new RemoteSnapshotState(true, target, layer, image.Reference, null), null, static (state, _) => state.ToString());

    public static void RemoteSnapshotNotPrepared(ILogger logger, string target, Digest layer, RemoteImage image, Exception reason) =>
        logger.Log(
            reason is LayerUnavailableException { IsTold: true } ? LogLevel.Information : LogLevel.Warning,
            new EventId(204, nameof(RemoteSnapshotNotPrepared)),
            new RemoteSnapshotState(false, target, layer, image.Reference, reason.Message),
            reason is LayerUnavailableException ? null : reason, static (state, _) => state.ToString());

    // The field "remote-snapshot-prepared" is what people who run soci or stargz search their logs for; its name cannot
    // stand in a [LoggerMessage] template.
    private readonly struct RemoteSnapshotState(bool prepared, string target, Digest layer, string image, string? reason)
        : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 6;

        public KeyValuePair<string, object?> this[int index] => index switch
        {
            0 => new("remote-snapshot-prepared", prepared ? "true" : "false"),
            1 => new("Target", target),
            2 => new("Layer", layer.ToString()),
            3 => new("Image", image),
            4 => new("Reason", reason),
            5 => new("{OriginalFormat}", ToString()),
            _ => throw new ArgumentOutOfRangeException(nameof(index)),
        };

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            for (var i = 0; i < Count; i++)
                yield return this[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => prepared
            ? $"Layer {layer} of {image} is served lazily"
            : $"Layer {layer} of {image} is not served lazily, containerd unpacks it: {reason}";
    }
}
