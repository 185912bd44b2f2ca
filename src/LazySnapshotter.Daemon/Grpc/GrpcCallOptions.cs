namespace LazySnapshotter.Daemon.Grpc;

// What a caller says beyond the message.
/// <param name="Metadata">Request headers, names in lower case: <c>containerd-namespace</c> for one.</param>
/// <param name="Timeout">How long the whole call may take; told to the server and kept here.</param>
public sealed record GrpcCallOptions(IReadOnlyDictionary<string, string>? Metadata = null, TimeSpan? Timeout = null)
{
    public static GrpcCallOptions Default { get; } = new();
}
