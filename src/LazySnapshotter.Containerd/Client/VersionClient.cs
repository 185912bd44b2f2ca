using Google.Protobuf.WellKnownTypes;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.version.v1: is containerd there, and which one.
public sealed class VersionClient
{
    private readonly ContainerdConnection _connection;
    private readonly global::Containerd.Services.Version.V1.Version.VersionClient _calls;

    internal VersionClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new global::Containerd.Services.Version.V1.Version.VersionClient(connection.Channel);
    }

    /// <returns>For example <c>1.6.20</c>; distributions append their own.</returns>
    public async Task<string> GetAsync(CancellationToken cancellationToken) =>
        (await _connection.CallAsync(_calls.VersionAsync, new Empty(), cancellationToken)).Version;
}
