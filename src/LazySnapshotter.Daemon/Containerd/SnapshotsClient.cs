using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Containerd;

// containerd.services.snapshots.v1 as containerd serves it: names are those of the client's namespace, and containerd
// passes the calls on to the snapshotter (for a proxy plugin, over its socket).
public sealed class SnapshotsClient
{
    private const string Service = "containerd.services.snapshots.v1.Snapshots";

    private static readonly GrpcMethod<PrepareSnapshotRequest, PrepareSnapshotResponse> Prepare = new(Service, "Prepare", PrepareSnapshotRequest.Parser, PrepareSnapshotResponse.Parser);
    private static readonly GrpcMethod<StatSnapshotRequest, StatSnapshotResponse> Stat = new(Service, "Stat", StatSnapshotRequest.Parser, StatSnapshotResponse.Parser);
    private static readonly GrpcMethod<CommitSnapshotRequest, Empty> Commit = new(Service, "Commit", CommitSnapshotRequest.Parser, Empty.Parser);
    private static readonly GrpcMethod<RemoveSnapshotRequest, Empty> Remove = new(Service, "Remove", RemoveSnapshotRequest.Parser, Empty.Parser);
    private static readonly GrpcMethod<MountsRequest, MountsResponse> Mounts = new(Service, "Mounts", MountsRequest.Parser, MountsResponse.Parser);

    private readonly ContainerdConnection _connection;

    internal SnapshotsClient(ContainerdConnection connection, string snapshotter)
    {
        _connection = connection;
        Snapshotter = snapshotter;
    }

    public string Snapshotter { get; }

    /// <returns>The mounts to write into; null if the snapshotter made (or had) the snapshot the labels ask for.</returns>
    public async Task<IReadOnlyList<Mount>?> PrepareAsync(
        string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new PrepareSnapshotRequest { Snapshotter = Snapshotter, Key = key, Parent = parent };
        foreach (var (name, value) in labels)
            request.Labels.Add(name, value);
        try
        {
            return (await _connection.CallAsync(Prepare, request, cancellationToken)).Mounts;
        }
        catch (GrpcException e) when (e.Status == StatusCode.AlreadyExists)
        {
            return null;
        }
    }

    public async Task<bool> ExistsAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.CallAsync(Stat, new StatSnapshotRequest { Snapshotter = Snapshotter, Key = key }, cancellationToken);
            return true;
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }

    public async Task<IReadOnlyList<Mount>> MountsAsync(string key, CancellationToken cancellationToken) =>
        (await _connection.CallAsync(Mounts, new MountsRequest { Snapshotter = Snapshotter, Key = key }, cancellationToken)).Mounts;

    /// <returns>False if a snapshot of that name is there already; the key stays as it was then.</returns>
    public async Task<bool> CommitAsync(
        string name, string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new CommitSnapshotRequest { Snapshotter = Snapshotter, Name = name, Key = key };
        foreach (var (label, value) in labels)
            request.Labels.Add(label, value);
        try
        {
            await _connection.CallAsync(Commit, request, cancellationToken);
            return true;
        }
        catch (GrpcException e) when (e.Status == StatusCode.AlreadyExists)
        {
            return false;
        }
    }

    /// <returns>False if there is no such snapshot.</returns>
    public async Task<bool> RemoveAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.CallAsync(Remove, new RemoveSnapshotRequest { Snapshotter = Snapshotter, Key = key }, cancellationToken);
            return true;
        }
        catch (GrpcException e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }
}
