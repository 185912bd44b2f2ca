using System.Globalization;
using Containerd.Services.Leases.V1;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.leases.v1.
public sealed class LeasesClient
{
    private const string ExpiryLabel = "containerd.io/gc.expire";

    private readonly ContainerdConnection _connection;
    private readonly Leases.LeasesClient _calls;

    internal LeasesClient(ContainerdConnection connection)
    {
        _connection = connection;
        _calls = new Leases.LeasesClient(connection.Channel);
    }

    /// <returns>The id.</returns>
    public async Task<string> CreateAsync(TimeSpan expiry, CancellationToken cancellationToken)
    {
        var request = new CreateRequest { Id = "lazysnap-" + Guid.NewGuid().ToString("N") };
        // RFC 3339, as containerd's garbage collector reads it.
        request.Labels[ExpiryLabel] = (DateTime.UtcNow + expiry).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return (await _connection.CallAsync(_calls.CreateAsync, request, cancellationToken)).Lease.Id;
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) =>
        _connection.CallAsync(_calls.DeleteAsync, new DeleteRequest { Id = id }, cancellationToken);

    /// <param name="type"><c>content</c>, <c>ingests</c> or <c>snapshots/NAME</c>.</param>
    public Task AddResourceAsync(string id, string type, string resource, CancellationToken cancellationToken)
    {
        var request = new AddResourceRequest { Id = id, Resource = new Resource { Id = resource, Type = type } };
        return _connection.CallAsync(_calls.AddResourceAsync, request, cancellationToken);
    }
}
