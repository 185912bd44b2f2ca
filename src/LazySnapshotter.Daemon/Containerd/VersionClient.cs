using Containerd.Services.Version.V1;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.version.v1: is containerd there, and which one.
public sealed class VersionClient
{
    private static readonly GrpcMethod<Empty, VersionResponse> Version =
        new("containerd.services.version.v1.Version", "Version", Empty.Parser, VersionResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal VersionClient(ContainerdConnection connection) => _connection = connection;

    /// <returns>For example <c>1.6.20</c>; distributions append their own.</returns>
    public async Task<string> GetAsync(CancellationToken cancellationToken) =>
        (await _connection.CallAsync(Version, new Empty(), cancellationToken)).Version;
}
