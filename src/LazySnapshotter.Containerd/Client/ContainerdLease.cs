namespace LazySnapshotter.Containerd.Client;

// A lease under way: content and snapshots made through it are not garbage-collected before it is disposed. Disposing
// deletes the lease at once, also after a failure, so that leftovers do not wait for the expiry.
public sealed class ContainerdLease : IAsyncDisposable
{
    // Deleting is the last call of a pull that may have been cancelled: it does not get forever.
    private static readonly TimeSpan DeleteTimeout = TimeSpan.FromSeconds(10);

    private readonly ContainerdConnection _connection;
    private readonly LeasesClient _leases;

    internal ContainerdLease(ContainerdConnection connection, LeasesClient leases, string id)
    {
        _connection = connection.UnderLease(id);
        _leases = leases;
        Id = id;
        Content = new ContentClient(_connection);
    }

    public string Id { get; }

    public ContentClient Content { get; }

    public SnapshotsClient Snapshots(string snapshotter) => new(_connection, snapshotter);

    /// <summary>Keeps a snapshot of that name, whether it is there already or not.</summary>
    public Task AddSnapshotAsync(string snapshotter, string name, CancellationToken cancellationToken) =>
        _leases.AddResourceAsync(Id, "snapshots/" + snapshotter, name, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(DeleteTimeout);
        try
        {
            await _leases.DeleteAsync(Id, timeout.Token);
        }
        catch (Exception e) when (e is ContainerdException or ContainerdUnreachableException or OperationCanceledException)
        {
            // The lease expires by itself; what the pull itself has to say matters more.
        }
    }
}
