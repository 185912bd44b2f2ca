using Grpc.Core;

namespace LazySnapshotter.Containerd.Client;

// A call that containerd answered with another status than OK, or that broke off. The message is containerd's own.
public sealed class ContainerdException(StatusCode status, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public StatusCode Status { get; } = status;

    /// <summary>containerd said so itself; otherwise the connection failed on the way.</summary>
    public bool IsAnswer => InnerException is null;
}
