using Grpc.Net.Client;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Containerd.Client;

// containerd as a client of its gRPC API sees it: one small class per service, all in one namespace. Safe for
// concurrent use. What is to survive garbage collection until it is referred to is created under a lease.
//
// Errors: ContainerdUnreachableException if nobody answers on the socket; otherwise ContainerdException with containerd's status.
public sealed class ContainerdClient : IDisposable
{
    public const string DefaultAddress = "/run/containerd/containerd.sock";
    public const string DefaultNamespace = "default";

    private readonly GrpcChannel _channel;
    private readonly ContainerdConnection _connection;
    private readonly bool _isOwner;

    /// <exception cref="ContainerdUnreachableException">No socket can have this path.</exception>
    public ContainerdClient(string address, string namespaceName = DefaultNamespace)
        : this(Channel(address), address, namespaceName, isOwner: true)
    {
    }

    private ContainerdClient(GrpcChannel channel, string address, string namespaceName, bool isOwner)
    {
        _channel = channel;
        Address = address;
        _isOwner = isOwner;
        _connection = new ContainerdConnection(channel, address, namespaceName, leaseId: null);
        Version = new VersionClient(_connection);
        Namespaces = new NamespacesClient(_connection);
        Introspection = new IntrospectionClient(_connection);
        Content = new ContentClient(_connection);
        Images = new ImagesClient(_connection);
        Leases = new LeasesClient(_connection);
        Diff = new DiffClient(_connection);
    }

    public string Address { get; }

    public string NamespaceName => _connection.NamespaceName;

    public VersionClient Version { get; }

    public NamespacesClient Namespaces { get; }

    public IntrospectionClient Introspection { get; }

    public ContentClient Content { get; }

    public ImagesClient Images { get; }

    public LeasesClient Leases { get; }

    public DiffClient Diff { get; }

    /// <param name="snapshotter">For example <c>overlayfs</c> or <c>lazysnap</c>.</param>
    public SnapshotsClient Snapshots(string snapshotter) => new(_connection, snapshotter);

    /// <summary>Opens a lease; what is created through it stays until it is disposed.</summary>
    /// <param name="expiry">When containerd may drop it if this process dies.</param>
    public async Task<ContainerdLease> LeaseAsync(TimeSpan expiry, CancellationToken cancellationToken) =>
        new(_connection, Leases, await Leases.CreateAsync(expiry, cancellationToken));

    /// <summary>The same containerd seen in another namespace; goes with this client.</summary>
    public ContainerdClient In(string namespaceName) => new(_channel, Address, namespaceName, isOwner: false);

    public void Dispose()
    {
        if (_isOwner)
            _channel.Dispose();
    }

    private static GrpcChannel Channel(string address) => UnixSocketPath.WhyNot(address) is { } why
        ? throw new ContainerdUnreachableException(address, why)
        : ContainerdChannel.Open(address);
}
