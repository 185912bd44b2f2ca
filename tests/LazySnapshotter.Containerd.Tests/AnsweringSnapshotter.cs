using System.Collections.Concurrent;
using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Daemon.Snapshots;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging.Abstractions;
using SnapshotsBase = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsBase;

namespace LazySnapshotter.Containerd.Tests;

// A remote snapshotter without content, behind a real containerd: it says of every layer that its snapshot is there
// already, except of those it is told to refuse, which it has unpacked into plain directories. Shows what a pull asks.
public sealed class AnsweringSnapshotter : SnapshotsBase, IAsyncDisposable
{
    private const string RefLabel = "containerd.io/snapshot.ref";
    private const string LayerLabel = "containerd.io/snapshot/cri.layer-digest";

    private readonly ConcurrentDictionary<string, Info> _snapshots = new();
    private string _directory = "";
    private SnapshotsServer? _server;

    public ConcurrentDictionary<Digest, bool> Refused { get; } = new();

    /// <summary>Labels of each Prepare, by the layer they are about.</summary>
    public ConcurrentDictionary<Digest, IReadOnlyDictionary<string, string>> Asked { get; } = new();

    public async Task StartAsync(string socketPath, string directory)
    {
        _directory = directory;
        _server = await SnapshotsServer.StartAsync(socketPath, this, NullLoggerFactory.Instance, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    public override Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context)
    {
        var layer = Digest.Parse(request.Labels[LayerLabel]);
        Asked[layer] = request.Labels;
        var info = new Info { Name = request.Key, Parent = request.Parent, Kind = Kind.Active, Labels = { request.Labels } };
        if (!Refused.ContainsKey(layer))
        {
            info.Name = "layer-" + request.Labels[RefLabel];
            info.Kind = Kind.Committed;
            _snapshots[info.Name] = info;
            throw Failure(StatusCode.AlreadyExists, $"snapshot {info.Name} is there");
        }

        _snapshots[info.Name] = info;
        return Task.FromResult(new PrepareSnapshotResponse { Mounts = { MountOf(info.Name) } });
    }

    public override Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context)
    {
        var info = Find(request.Key).Clone();
        _snapshots.TryRemove(request.Key, out _);
        info.Name = request.Name;
        info.Kind = Kind.Committed;
        _snapshots[info.Name] = info;
        return Task.FromResult(new Empty());
    }

    public override Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context) =>
        _snapshots.TryRemove(request.Key, out _) ? Task.FromResult(new Empty()) : throw Failure(StatusCode.NotFound, request.Key);

    public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context) =>
        Task.FromResult(new StatSnapshotResponse { Info = Find(request.Key) });

    public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) =>
        Task.FromResult(new MountsResponse { Mounts = { MountOf(request.Key) } });

    public override Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context) => Task.FromResult(new UsageResponse());

    public override Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context) => Task.FromResult(new Empty());

    public override Task List(
        ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context) =>
        responseStream.WriteAsync(new ListSnapshotsResponse { Info = { _snapshots.Values } }, context.CancellationToken);

    private Info Find(string key) =>
        _snapshots.TryGetValue(key, out var info) ? info : throw Failure(StatusCode.NotFound, $"snapshot {key}");

    private static RpcException Failure(StatusCode status, string text) => new(new Status(status, text));

    private Mount MountOf(string key)
    {
        var path = Path.Combine(_directory, "unpacked", Digest.OfSha256(System.Text.Encoding.UTF8.GetBytes(key)).Hex);
        Directory.CreateDirectory(path);
        return new Mount { Type = "bind", Source = path, Options = { "rw", "rbind" } };
    }
}
