using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Daemon.Log;
using LazySnapshotter.Node.Options;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Daemon;

// Looks once, beside serving, whether containerd is there and has this daemon as a plugin, and says so in the log. The
// daemon starts before containerd and does without it; but a missing section in containerd's configuration is the most
// common reason why nothing is lazy, and would otherwise be silence.
internal static class ContainerdCheck
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(DaemonOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patience);
        using var containerd = new ContainerdClient(options.Containerd);
        try
        {
            var version = await AnswerAsync(containerd, patience.Token);
            var address = Path.GetFullPath(options.Address);
            var plugins = await containerd.Introspection.SnapshottersAsync(patience.Token);
            if (plugins.FirstOrDefault(plugin => plugin.ProxyAddress == address) is { } ours)
                DaemonLog.PluginKnown(logger, version, options.Containerd, ours.Name);
            else
                DaemonLog.PluginUnknown(logger, version, options.Containerd, address);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            DaemonLog.ContainerdAbsent(logger, options.Containerd, _patience);
        }
        catch (Exception e) when (e is ContainerdException or IOException or OperationCanceledException)
        {
            DaemonLog.ContainerdCheckFailed(logger, options.Containerd, e.Message);
        }
    }

    private static async Task<string> AnswerAsync(ContainerdClient containerd, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await containerd.Version.GetAsync(cancellationToken);
            }
            catch (ContainerdUnreachableException)
            {
                await Task.Delay(_interval, cancellationToken);
            }
        }
    }
}
