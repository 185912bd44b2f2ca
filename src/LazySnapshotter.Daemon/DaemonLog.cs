using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon;

internal static partial class DaemonLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Serving snapshots on {Address}, root {Root}")]
    public static partial void Serving(ILogger logger, string address, string root);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger logger);
}
