using Containerd.Services.Introspection.V1;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.introspection.v1: which plugins this containerd was started with.
public sealed class IntrospectionClient
{
    private const string SnapshotterType = "io.containerd.snapshotter.v1";

    private readonly ContainerdConnection _connection;
    private readonly Introspection.IntrospectionClient _calls;

    internal IntrospectionClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Introspection.IntrospectionClient(connection.Channel);
    }

    public async Task<IReadOnlyList<SnapshotterPlugin>> SnapshottersAsync(CancellationToken cancellationToken)
    {
        var request = new PluginsRequest { Filters = { "type==" + SnapshotterType } };
        var response = await _connection.CallAsync(_calls.PluginsAsync, request, cancellationToken);
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
