using Containerd.Services.Namespaces.V1;
using Grpc.Core;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.namespaces.v1: namespaces must exist before anything else is put into them.
public sealed class NamespacesClient
{
    private readonly ContainerdConnection _connection;
    private readonly Namespaces.NamespacesClient _calls;

    internal NamespacesClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Namespaces.NamespacesClient(connection.Channel);
    }

    /// <summary>The names of all namespaces.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _connection.CallAsync(_calls.ListAsync, new ListNamespacesRequest(), cancellationToken)).Namespaces.Select(
            each => each.Name)];

    /// <summary>Creates the client's namespace unless it is there.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        try
        {
            var request = new CreateNamespaceRequest { Namespace = new Namespace { Name = _connection.NamespaceName } };
            await _connection.CallAsync(_calls.CreateAsync, request, cancellationToken);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
        }
    }
}
