using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Grpc.Core;
using Calls = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsClient;

namespace LazySnapshotter.Containerd.Client;

// containerd.services.snapshots.v1 as containerd serves it: names are those of the client's namespace, and containerd
// passes the calls on to the snapshotter (for a proxy plugin, over its socket).
public sealed class SnapshotsClient
{
    private readonly ContainerdConnection _connection;
    private readonly Calls _calls;

    internal SnapshotsClient(ContainerdConnection connection, string snapshotter)
    {
        _connection = connection;
        _calls = new Calls(connection.Channel);
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
            return (await _connection.CallAsync(_calls.PrepareAsync, request, cancellationToken)).Mounts;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            return null;
        }
    }

    public async Task<bool> ExistsAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.CallAsync(
                _calls.StatAsync, new StatSnapshotRequest { Snapshotter = Snapshotter, Key = key }, cancellationToken);
            return true;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <returns>False if a snapshot of that name is there already; the key stays as it was then.</returns>
    public async Task<bool> CommitAsync(
        string name, string key, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new CommitSnapshotRequest { Snapshotter = Snapshotter, Name = name, Key = key };
        foreach (var (label, value) in labels)
            request.Labels.Add(label, value);
        try
        {
            await _connection.CallAsync(_calls.CommitAsync, request, cancellationToken);
            return true;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            return false;
        }
    }

    /// <returns>False if there is no such snapshot.</returns>
    public async Task<bool> RemoveAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.CallAsync(
                _calls.RemoveAsync, new RemoveSnapshotRequest { Snapshotter = Snapshotter, Key = key }, cancellationToken);
            return true;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }
}
