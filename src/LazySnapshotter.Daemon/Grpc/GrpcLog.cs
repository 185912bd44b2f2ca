using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon.Grpc;

internal static partial class GrpcLog
{
    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "gRPC call {Method} failed")]
    public static partial void CallFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "gRPC server listens on {SocketPath}")]
    public static partial void ServerListens(ILogger logger, string socketPath);
}
