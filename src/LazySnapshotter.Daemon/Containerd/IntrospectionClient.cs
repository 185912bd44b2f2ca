using Containerd.Services.Introspection.V1;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.introspection.v1: which plugins this containerd was started with.
public sealed class IntrospectionClient
{
    private const string SnapshotterType = "io.containerd.snapshotter.v1";

    private static readonly GrpcMethod<PluginsRequest, PluginsResponse> Plugins =
        new("containerd.services.introspection.v1.Introspection", "Plugins", PluginsRequest.Parser, PluginsResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal IntrospectionClient(ContainerdConnection connection) => _connection = connection;

    public async Task<IReadOnlyList<SnapshotterPlugin>> SnapshottersAsync(CancellationToken cancellationToken)
    {
        var request = new PluginsRequest { Filters = { "type==" + SnapshotterType } };
        var response = await _connection.CallAsync(Plugins, request, cancellationToken);
        return
        [
            .. response.Plugins.Where(plugin => plugin.Type == SnapshotterType).Select(plugin => new SnapshotterPlugin(
                plugin.Id,
                // containerd's server exports the address it dials for each [proxy_plugins] entry, and only there.
                plugin.Exports.GetValueOrDefault("address"),
                plugin.InitErr?.Message)),
        ];
    }
}
