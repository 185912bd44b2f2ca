using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Log;

internal static partial class DaemonLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Serving snapshots on {Address}, root {Root}")]
    public static partial void Serving(ILogger logger, string address, string root);

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving metrics on {Address}")]
    public static partial void ServingMetrics(ILogger logger, Uri address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The service manager could not be told {State}: {Reason}")]
    public static partial void ServiceManagerUnreachable(ILogger logger, string state, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "gRPC call {Method} failed")]
    public static partial void CallFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "containerd {Version} on {Containerd} has this daemon as its snapshotter {Plugin}")]
    public static partial void PluginKnown(ILogger logger, string version, string containerd, string plugin);

    [LoggerMessage(Level = LogLevel.Warning, Message = "containerd {Version} on {Containerd} has no snapshotter plugin at {Address}: its " +
        "configuration needs a section [proxy_plugins.lazysnap]")]
    public static partial void PluginUnknown(ILogger logger, string version, string containerd, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nobody answers as containerd on {Containerd} for {Patience}; serving on")]
    public static partial void ContainerdAbsent(ILogger logger, string containerd, TimeSpan patience);

    [LoggerMessage(Level = LogLevel.Debug, Message = "containerd on {Containerd} could not be asked for its plugins: {Reason}")]
    public static partial void ContainerdCheckFailed(ILogger logger, string containerd, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "containerd on {Containerd} could not be asked for its images: {Reason}")]
    public static partial void ImagesUnknown(ILogger logger, string containerd, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Image {Image} of containerd is not understood: {Reason}")]
    public static partial void ImageNotUnderstood(ILogger logger, string image, string reason);
}
