using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using LazySnapshotter.Daemon.Grpc;

namespace LazySnapshotter.Daemon.Snapshots;

// The methods of containerd.services.snapshots.v1.Snapshots, for whoever serves or calls them.
public static class SnapshotsMethods
{
    private const string Service = "containerd.services.snapshots.v1.Snapshots";

    public static GrpcMethod<PrepareSnapshotRequest, PrepareSnapshotResponse> Prepare { get; } =
        new(Service, "Prepare", PrepareSnapshotRequest.Parser, PrepareSnapshotResponse.Parser);

    public static GrpcMethod<ViewSnapshotRequest, ViewSnapshotResponse> View { get; } =
        new(Service, "View", ViewSnapshotRequest.Parser, ViewSnapshotResponse.Parser);

    public static GrpcMethod<MountsRequest, MountsResponse> Mounts { get; } =
        new(Service, "Mounts", MountsRequest.Parser, MountsResponse.Parser);

    public static GrpcMethod<CommitSnapshotRequest, Empty> Commit { get; } =
        new(Service, "Commit", CommitSnapshotRequest.Parser, Empty.Parser);

    public static GrpcMethod<RemoveSnapshotRequest, Empty> Remove { get; } =
        new(Service, "Remove", RemoveSnapshotRequest.Parser, Empty.Parser);

    public static GrpcMethod<StatSnapshotRequest, StatSnapshotResponse> Stat { get; } =
        new(Service, "Stat", StatSnapshotRequest.Parser, StatSnapshotResponse.Parser);

    public static GrpcMethod<UpdateSnapshotRequest, UpdateSnapshotResponse> Update { get; } =
        new(Service, "Update", UpdateSnapshotRequest.Parser, UpdateSnapshotResponse.Parser);

    public static GrpcMethod<ListSnapshotsRequest, ListSnapshotsResponse> List { get; } =
        new(Service, "List", ListSnapshotsRequest.Parser, ListSnapshotsResponse.Parser);

    public static GrpcMethod<UsageRequest, UsageResponse> Usage { get; } =
        new(Service, "Usage", UsageRequest.Parser, UsageResponse.Parser);

    public static GrpcMethod<CleanupRequest, Empty> Cleanup { get; } =
        new(Service, "Cleanup", CleanupRequest.Parser, Empty.Parser);
}
