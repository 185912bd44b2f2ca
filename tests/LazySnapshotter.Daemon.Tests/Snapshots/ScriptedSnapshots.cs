using Containerd.Services.Snapshots.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using SnapshotsBase = Containerd.Services.Snapshots.V1.Snapshots.SnapshotsBase;

namespace LazySnapshotter.Daemon.Tests.Snapshots;

// A snapshots service that does what the test says: fail, hang, or answer with what it was asked.
public sealed class ScriptedSnapshots : SnapshotsBase
{
    public Exception? Failure { get; set; }

    public TaskCompletionSource HangCancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Answers with the key as the snapshot's name, and with the request's headers as its labels.</summary>
    public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context)
    {
        if (Failure is not null)
            throw Failure;
        var info = new Info { Name = request.Key };
        foreach (var header in context.RequestHeaders.Where(header => !header.IsBinary))
            info.Labels.Add(header.Key, header.Value);
        return Task.FromResult(new StatSnapshotResponse { Info = info });
    }

    /// <summary>Hangs until the call is cancelled.</summary>
    public override async Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context)
    {
        await using var registration = context.CancellationToken.Register(() => HangCancelled.TrySetResult());
        await Task.Delay(Timeout.Infinite, context.CancellationToken);
        return new Empty();
    }

    /// <summary>Three answers, then the failure.</summary>
    public override async Task List(
        ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < 3; i++)
            await responseStream.WriteAsync(new ListSnapshotsResponse(), context.CancellationToken);
        if (Failure is not null)
            throw Failure;
    }
}
