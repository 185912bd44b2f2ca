using Containerd.Services.Namespaces.V1;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.namespaces.v1: namespaces must exist before anything else is put into them.
public sealed class NamespacesClient
{
    private const string Service = "containerd.services.namespaces.v1.Namespaces";

    private static readonly GrpcMethod<ListNamespacesRequest, ListNamespacesResponse> List =
        new(Service, "List", ListNamespacesRequest.Parser, ListNamespacesResponse.Parser);
    private static readonly GrpcMethod<CreateNamespaceRequest, CreateNamespaceResponse> Create =
        new(Service, "Create", CreateNamespaceRequest.Parser, CreateNamespaceResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal NamespacesClient(ContainerdConnection connection) => _connection = connection;

    /// <summary>The names of all namespaces.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _connection.CallAsync(List, new ListNamespacesRequest(), cancellationToken)).Namespaces.Select(each => each.Name)];

    /// <summary>Creates the client's namespace unless it is there.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        try
        {
            var request = new CreateNamespaceRequest { Namespace = new Namespace { Name = _connection.NamespaceName } };
            await _connection.CallAsync(Create, request, cancellationToken);
        }
        catch (GrpcException e) when (e.Status == StatusCode.AlreadyExists)
        {
        }
    }
}
