namespace LazySnapshotter.Daemon.Grpc;

// A call that ended with a status other than OK. A handler throws it to choose the status; a client gets it when the
// server, or the way there, answered with one.
public sealed class GrpcException(StatusCode status, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public StatusCode Status { get; } = status;
}
