namespace LazySnapshotter.Daemon.Grpc;

// What one peer may make the other hold in memory.
public static class GrpcLimits
{
    /// <summary>Longest message taken or sent: containerd's own limit (its defaults package, DefaultMaxRecvMsgSize).</summary>
    public const int MessageBytesMax = 16 * 1024 * 1024;

    /// <summary>Longest grpc-message after encoding. Longer texts are cut: header blocks are not the place for them.</summary>
    public const int StatusMessageBytesMax = 8 * 1024;

    /// <summary>
    /// Calls open at a time on one connection. containerd uses a single connection, and a Prepare may wait for a registry.
    /// </summary>
    public const int CallsPerConnectionMax = 1000;
}
