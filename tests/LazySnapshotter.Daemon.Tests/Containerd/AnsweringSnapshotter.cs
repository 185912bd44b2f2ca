using System.Collections.Concurrent;
using Containerd.Services.Snapshots.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Daemon.Tests.Containerd;

// A remote snapshotter without content, behind a real containerd: it says of every layer that its snapshot is there
// already, except of those it is told to refuse, which it has unpacked into plain directories. Shows what a pull asks.
public sealed class AnsweringSnapshotter : IAsyncDisposable
{
    private const string Service = "containerd.services.snapshots.v1.Snapshots";
    private const string RefLabel = "containerd.io/snapshot.ref";
    private const string LayerLabel = "containerd.io/snapshot/cri.layer-digest";

    private readonly ConcurrentDictionary<string, Info> _snapshots = new();
    private string _directory = "";
    private GrpcServer? _server;

    public ConcurrentDictionary<Digest, bool> Refused { get; } = new();

    /// <summary>Labels of each Prepare, by the layer they are about.</summary>
    public ConcurrentDictionary<Digest, IReadOnlyDictionary<string, string>> Asked { get; } = new();

    public async Task StartAsync(string socketPath, string directory)
    {
        _directory = directory;
        var services = new GrpcServiceTable()
            .Unary(Method("Prepare", PrepareSnapshotRequest.Parser, PrepareSnapshotResponse.Parser), (request, _) => Task.FromResult(Prepare(request)))
            .Unary(Method("Stat", StatSnapshotRequest.Parser, StatSnapshotResponse.Parser), (request, _) =>
                Task.FromResult(new StatSnapshotResponse { Info = Find(request.Key) }))
            .Unary(Method("Mounts", MountsRequest.Parser, MountsResponse.Parser), (request, _) =>
                Task.FromResult(new MountsResponse { Mounts = { MountOf(request.Key) } }))
            .Unary(Method("Commit", CommitSnapshotRequest.Parser, Empty.Parser), (request, _) => Task.FromResult(Commit(request)))
            .Unary(Method("Remove", RemoveSnapshotRequest.Parser, Empty.Parser), (request, _) => Task.FromResult(Remove(request)))
            .Unary(Method("Usage", UsageRequest.Parser, UsageResponse.Parser), (_, _) => Task.FromResult(new UsageResponse()))
            .Unary(Method("Cleanup", CleanupRequest.Parser, Empty.Parser), (_, _) => Task.FromResult(new Empty()))
            .ServerStreaming(Method("List", ListSnapshotsRequest.Parser, ListSnapshotsResponse.Parser), async (_, writer, context) =>
                await writer.WriteAsync(new ListSnapshotsResponse { Info = { _snapshots.Values } }, context.CancellationToken));
        _server = await GrpcServer.StartAsync(socketPath, services, NullLoggerFactory.Instance, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private static GrpcMethod<TRequest, TResponse> Method<TRequest, TResponse>(
        string name, Google.Protobuf.MessageParser<TRequest> request, Google.Protobuf.MessageParser<TResponse> response)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>
        where TResponse : class, Google.Protobuf.IMessage<TResponse> => new(Service, name, request, response);

    private PrepareSnapshotResponse Prepare(PrepareSnapshotRequest request)
    {
        var layer = Digest.Parse(request.Labels[LayerLabel]);
        Asked[layer] = request.Labels;
        var info = new Info { Name = request.Key, Parent = request.Parent, Kind = Kind.Active, Labels = { request.Labels } };
        if (!Refused.ContainsKey(layer))
        {
            info.Name = "layer-" + request.Labels[RefLabel];
            info.Kind = Kind.Committed;
            _snapshots[info.Name] = info;
            throw new GrpcException(StatusCode.AlreadyExists, $"snapshot {info.Name} is there");
        }

        _snapshots[info.Name] = info;
        return new PrepareSnapshotResponse { Mounts = { MountOf(info.Name) } };
    }

    private Empty Commit(CommitSnapshotRequest request)
    {
        var info = Find(request.Key).Clone();
        _snapshots.TryRemove(request.Key, out _);
        info.Name = request.Name;
        info.Kind = Kind.Committed;
        _snapshots[info.Name] = info;
        return new Empty();
    }

    private Empty Remove(RemoveSnapshotRequest request) =>
        _snapshots.TryRemove(request.Key, out _) ? new Empty() : throw new GrpcException(StatusCode.NotFound, request.Key);

    private Info Find(string key) =>
        _snapshots.TryGetValue(key, out var info) ? info : throw new GrpcException(StatusCode.NotFound, $"snapshot {key}");

    private Mount MountOf(string key)
    {
        var path = Path.Combine(_directory, "unpacked", Digest.OfSha256(System.Text.Encoding.UTF8.GetBytes(key)).Hex);
        Directory.CreateDirectory(path);
        return new Mount { Type = "bind", Source = path, Options = { "rw", "rbind" } };
    }
}
