using Containerd.Services.Snapshots.V1;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Snapshots;
using Mount = Containerd.Types.Mount;

namespace LazySnapshotter.Daemon.Snapshots;

// containerd's snapshots service over a Snapshotter: messages in, messages out, exceptions to status codes. Decides
// nothing. The field "snapshotter" of the requests is ignored; one socket serves one snapshotter.
public sealed class SnapshotsService(Snapshotter snapshotter)
{
    // What containerd's own service sends at a time.
    private const int ListBatchLength = 100;

    private static readonly Empty Nothing = new();

    /// <summary>Adds the service's methods to those a server answers.</summary>
    public GrpcServiceTable AddTo(GrpcServiceTable services) => services
        .Unary(SnapshotsMethods.Prepare, (request, context) => TranslateAsync(() => PrepareAsync(request, context)))
        .Unary(SnapshotsMethods.View, (request, context) => TranslateAsync(() => ViewAsync(request, context)))
        .Unary(SnapshotsMethods.Mounts, (request, _) => TranslateAsync(() => Task.FromResult(Mounts(request))))
        .Unary(SnapshotsMethods.Commit, (request, context) => TranslateAsync(() => Task.FromResult(Commit(request, context))))
        .Unary(SnapshotsMethods.Remove, (request, _) => TranslateAsync(() => RemoveAsync(request)))
        .Unary(SnapshotsMethods.Stat, (request, _) => TranslateAsync(() => Task.FromResult(Stat(request))))
        .Unary(SnapshotsMethods.Update, (request, _) => TranslateAsync(() => Task.FromResult(Update(request))))
        .ServerStreaming(SnapshotsMethods.List, (request, responses, context) => TranslateAsync(() => ListAsync(request, responses, context)))
        .Unary(SnapshotsMethods.Usage, (request, context) => TranslateAsync(() => Task.FromResult(Usage(request, context))))
        .Unary(SnapshotsMethods.Cleanup, (_, context) => TranslateAsync(() => CleanupAsync(context)));

    private async Task<PrepareSnapshotResponse> PrepareAsync(PrepareSnapshotRequest request, GrpcServerContext context)
    {
        var mounts = await snapshotter.PrepareAsync(request.Key, request.Parent, Labels(request.Labels), context.CancellationToken);
        return new PrepareSnapshotResponse { Mounts = { mounts.Select(ToMessage) } };
    }

    private async Task<ViewSnapshotResponse> ViewAsync(ViewSnapshotRequest request, GrpcServerContext context)
    {
        var mounts = await snapshotter.ViewAsync(request.Key, request.Parent, Labels(request.Labels), context.CancellationToken);
        return new ViewSnapshotResponse { Mounts = { mounts.Select(ToMessage) } };
    }

    private MountsResponse Mounts(MountsRequest request) => new() { Mounts = { snapshotter.Mounts(request.Key).Select(ToMessage) } };

    private Empty Commit(CommitSnapshotRequest request, GrpcServerContext context)
    {
        snapshotter.Commit(request.Name, request.Key, request.Parent, Labels(request.Labels), context.CancellationToken);
        return Nothing;
    }

    private async Task<Empty> RemoveAsync(RemoveSnapshotRequest request)
    {
        await snapshotter.RemoveAsync(request.Key);
        return Nothing;
    }

    private StatSnapshotResponse Stat(StatSnapshotRequest request) => new() { Info = ToMessage(snapshotter.Stat(request.Key)) };

    private UpdateSnapshotResponse Update(UpdateSnapshotRequest request)
    {
        var info = request.Info ?? throw new GrpcException(StatusCode.InvalidArgument, "update without info");
        var updated = snapshotter.Update(info.Name, Labels(info.Labels), request.UpdateMask?.Paths ?? []);
        return new UpdateSnapshotResponse { Info = ToMessage(updated) };
    }

    private async Task<Empty> ListAsync(
        ListSnapshotsRequest request, GrpcStreamWriter<ListSnapshotsResponse> responses, GrpcServerContext context)
    {
        foreach (var batch in snapshotter.List(request.Filters).Chunk(ListBatchLength))
            await responses.WriteAsync(new ListSnapshotsResponse { Info = { batch.Select(ToMessage) } }, context.CancellationToken);
        return Nothing;
    }

    private UsageResponse Usage(UsageRequest request, GrpcServerContext context)
    {
        var usage = snapshotter.Usage(request.Key, context.CancellationToken);
        return new UsageResponse { Size = usage.Bytes, Inodes = usage.Inodes };
    }

    private async Task<Empty> CleanupAsync(GrpcServerContext context)
    {
        await snapshotter.CleanupAsync(context.CancellationToken);
        return Nothing;
    }

    // What a client can act on becomes a status. Anything else nobody foresaw: the dispatcher logs it and answers Unknown.
    private static async Task<T> TranslateAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (SnapshotException e)
        {
            throw new GrpcException(StatusOf(e), e.Message, e);
        }
    }

    private static StatusCode StatusOf(SnapshotException e) => e switch
    {
        SnapshotNotFoundException => StatusCode.NotFound,
        SnapshotExistsException => StatusCode.AlreadyExists,
        SnapshotArgumentException => StatusCode.InvalidArgument,
        SnapshotStateException => StatusCode.FailedPrecondition,
        _ => StatusCode.Unknown,
    };

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
