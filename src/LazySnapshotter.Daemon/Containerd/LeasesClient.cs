using System.Globalization;
using Containerd.Services.Leases.V1;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.leases.v1.
public sealed class LeasesClient
{
    private const string Service = "containerd.services.leases.v1.Leases";
    private const string ExpiryLabel = "containerd.io/gc.expire";

    private static readonly GrpcMethod<CreateRequest, CreateResponse> Create = new(Service, "Create", CreateRequest.Parser, CreateResponse.Parser);
    private static readonly GrpcMethod<DeleteRequest, Empty> Delete = new(Service, "Delete", DeleteRequest.Parser, Empty.Parser);
    private static readonly GrpcMethod<AddResourceRequest, Empty> AddResource = new(Service, "AddResource", AddResourceRequest.Parser, Empty.Parser);

    private readonly ContainerdConnection _connection;

    internal LeasesClient(ContainerdConnection connection) => _connection = connection;

    /// <returns>The id.</returns>
    public async Task<string> CreateAsync(TimeSpan expiry, CancellationToken cancellationToken)
    {
        var request = new CreateRequest { Id = "lazysnap-" + Guid.NewGuid().ToString("N") };
        // RFC 3339, as containerd's garbage collector reads it.
        request.Labels[ExpiryLabel] = (DateTime.UtcNow + expiry).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return (await _connection.CallAsync(Create, request, cancellationToken)).Lease.Id;
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) =>
        _connection.CallAsync(Delete, new DeleteRequest { Id = id }, cancellationToken);

    /// <param name="type"><c>content</c>, <c>ingests</c> or <c>snapshots/NAME</c>.</param>
    public Task AddResourceAsync(string id, string type, string resource, CancellationToken cancellationToken)
    {
        var request = new AddResourceRequest { Id = id, Resource = new Resource { Id = resource, Type = type } };
        return _connection.CallAsync(AddResource, request, cancellationToken);
    }
}
