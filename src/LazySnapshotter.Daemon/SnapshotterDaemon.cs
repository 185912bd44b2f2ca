using System.Text;
using LazySnapshotter.Daemon.Hosting;
using LazySnapshotter.Daemon.Log;
using LazySnapshotter.Daemon.Snapshots;
using LazySnapshotter.Fuse;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Linux;
using LazySnapshotter.Mounts;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Slots;
using LazySnapshotter.Node.Composition;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Snapshots;
using LazySnapshotter.Snapshots.Directories;
using LazySnapshotter.Snapshots.Metadata;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon;

// The daemon, put together: what containerd talks to above, what the kernel talks to below, and the one path between
// them. Nothing here needs the network or containerd, so it can start before both.
public static class SnapshotterDaemon
{
    /// <summary>Serves until cancelled.</summary>
    /// <exception cref="IOException">Root directory, socket or mount cannot be had; the message names which and why.</exception>
    public static async Task RunAsync(DaemonOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        Libc.RaiseOpenFileLimit();
        RootDirectory.Make(options.Root);

        // The database comes first: its lock keeps a second daemon from touching the first one's mount.
        using var database = MetadataDatabase.Open(Path.Combine(options.Root, "metadata.db"));
        await using var storage = NodeStorage.Open(options, loggers);
        await using var metrics = await MetricsServer.StartAsync(options.Metrics.Listen, loggers, cancellationToken);
        var layersDirectory = Path.Combine(options.Root, "layers");
        var silenceMax = options.Registry.Requests.ToSilenceMax();
        using var mounter = new LayerMounter(layersDirectory, storage.Catalog, new SlotStore(database), loggers, silenceMax);
        var fileSystem = OverlayProbe.NeedsUserXattr(options.Root) ? new UserOverlayXattrs(mounter.FileSystem) : mounter.FileSystem;
        await using var session = await FuseSession.StartAsync(
            FuseMount.Create(layersDirectory, new FuseMountOptions()), fileSystem, new FuseSessionOptions(),
            loggers.CreateLogger<FuseSession>());
        mounter.Released += slot => session.InvalidateEntry(NodeId.Root, Encoding.ASCII.GetBytes($"{slot}"));
        using var images = new ContainerdImages(options.Containerd, loggers.CreateLogger<ContainerdImages>());
        await using var snapshotter = new Snapshotter(options.Root, database, mounter, images, loggers.CreateLogger<Snapshotter>());
        await mounter.ReleaseUnusedAsync(snapshotter.LayersInUse(), cancellationToken);

        await using var server =
            await SnapshotsServer.StartAsync(options.Address, new SnapshotsService(snapshotter), loggers, cancellationToken);

        var logger = loggers.CreateLogger("lazysnap");
        DaemonLog.Serving(logger, options.Address, options.Root);
        if (metrics is not null)
            DaemonLog.ServingMetrics(logger, metrics.Address);
        Notify("READY=1", logger);
        var containerdCheck = ContainerdCheck.RunAsync(options, logger, cancellationToken);
        await StopOrderedAsync(session.Completion, cancellationToken);
        if (!cancellationToken.IsCancellationRequested)
            throw new IOException(
                $"{layersDirectory} was unmounted by somebody else; containers can read nothing until the daemon is started again");

        Notify("STOPPING=1", logger);
        DaemonLog.Stopping(logger);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await server.StopAsync(patience.Token);
        await containerdCheck;
    }

    // Containers wait for what is served here, whatever became of who started it.
    private static void Notify(string state, ILogger logger)
    {
        if (ServiceManager.TryNotify(state) is { } failure)
            DaemonLog.ServiceManagerUnreachable(logger, state, failure);
    }

    private static async Task StopOrderedAsync(Task ended, CancellationToken cancellationToken)
    {
        var ordered = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(ordered.SetResult);
        await Task.WhenAny(ordered.Task, ended);
    }
}
