using System.Diagnostics;
using Containerd.Services.Snapshots.V1;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Model;
using Mount = Containerd.Types.Mount;
using SnapshotsBase = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsBase;

namespace LazySnapshotter.Daemon.Snapshots;

// containerd's snapshots service over a Snapshotter: messages in, messages out. Decides nothing; its exceptions become statuses
// in StatusInterceptor, and one success does here. The field "snapshotter" of the requests is ignored; one socket serves one
// snapshotter.
public sealed class SnapshotsService(Snapshotter snapshotter) : SnapshotsBase
{
    // What containerd's own service sends at a time.
    private const int ListBatchLength = 100;

    private static readonly Empty Nothing = new();

    public override async Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context)
    {
        var labels = Labels(request.Labels);
        return await snapshotter.PrepareAsync(request.Key, request.Parent, labels, context.CancellationToken) switch
        {
            PreparedSnapshot.Active active => new PrepareSnapshotResponse { Mounts = { active.Mounts.Select(ToMessage) } },

            // How containerd wants to hear of a layer that need not be unpacked: its docs/remote-snapshotter.md.
            PreparedSnapshot.Committed committed => throw new RpcException(
                new Status(StatusCode.AlreadyExists, $"target snapshot \"{committed.Target}\": already exists")),
            var other => throw new UnreachableException($"{other}"),
        };
    }

    public override async Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context)
    {
        var mounts = await snapshotter.ViewAsync(request.Key, request.Parent, Labels(request.Labels), context.CancellationToken);
        return new ViewSnapshotResponse { Mounts = { mounts.Select(ToMessage) } };
    }

    public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) =>
        Task.FromResult(new MountsResponse { Mounts = { snapshotter.Mounts(request.Key).Select(ToMessage) } });

    public override Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context)
    {
        snapshotter.Commit(request.Name, request.Key, request.Parent, Labels(request.Labels), context.CancellationToken);
        return Task.FromResult(Nothing);
    }

    public override async Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context)
    {
        await snapshotter.RemoveAsync(request.Key);
        return Nothing;
    }

    public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context) =>
        Task.FromResult(new StatSnapshotResponse { Info = ToMessage(snapshotter.Stat(request.Key)) });

    public override Task<UpdateSnapshotResponse> Update(UpdateSnapshotRequest request, ServerCallContext context)
    {
        var info = request.Info ?? throw new RpcException(new Status(StatusCode.InvalidArgument, "update without info"));
        var updated = snapshotter.Update(info.Name, Labels(info.Labels), request.UpdateMask?.Paths ?? []);
        return Task.FromResult(new UpdateSnapshotResponse { Info = ToMessage(updated) });
    }

    public override async Task List(
        ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        foreach (var batch in snapshotter.List(request.Filters).Chunk(ListBatchLength))
            await responseStream.WriteAsync(new ListSnapshotsResponse { Info = { batch.Select(ToMessage) } }, context.CancellationToken);
    }

    public override Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context)
    {
        var usage = snapshotter.Usage(request.Key, context.CancellationToken);
        return Task.FromResult(new UsageResponse { Size = usage.Bytes, Inodes = usage.Inodes });
    }

    public override async Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context)
    {
        await snapshotter.CleanupAsync(context.CancellationToken);
        return Nothing;
    }

    private static Dictionary<string, string> Labels(MapField<string, string> labels) => new(labels, StringComparer.Ordinal);

    private static Mount ToMessage(SnapshotMount mount) => new() { Type = mount.Type, Source = mount.Source, Options = { mount.Options } };

    private static Info ToMessage(SnapshotInfo info) => new()
    {
        Name = info.Name,
        Parent = info.Parent,
        Kind = (Kind)info.Kind,
        CreatedAt = Timestamp.FromDateTimeOffset(info.Created),
        UpdatedAt = Timestamp.FromDateTimeOffset(info.Updated),
        Labels = { info.Labels.ToDictionary() },
    };
}
