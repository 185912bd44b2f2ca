using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;

namespace LazySnapshotter.Cli.Doctor;

// containerd: whether it answers, whether it knows our plugin, and whether the plugin answers it.
internal static class ContainerdChecks
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Finding>> RunAsync(string socket, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patience);
        var findings = new List<Finding>();
        try
        {
            using var containerd = new ContainerdClient(socket);
            findings.Add(new Finding(Verdict.Ok, "containerd", $"{await containerd.Version.GetAsync(patience.Token)} on {socket}"));
            findings.Add(Plugin(await containerd.Introspection.SnapshottersAsync(patience.Token)));
        }
        catch (Exception e) when (e is ContainerdUnreachableException or ContainerdException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            findings.Add(new Finding(
                Verdict.Missing, "containerd", e.Message, "serve and pull work for nobody; mount, ls, cat and index do without"));
        }

        return findings;
    }

    private static Finding Plugin(IReadOnlyList<SnapshotterPlugin> plugins)
    {
        const string name = PullOptions.DefaultSnapshotter;
        var plugin = plugins.FirstOrDefault(plugin => plugin.Name == name);
        if (plugin is null)
            return new Finding(Verdict.Missing, "plugin", "containerd has no snapshotter named " + name,
                "add [proxy_plugins.lazysnap] to containerd's configuration (README, Install)");
        return plugin.InitError is { Length: > 0 } error
            ? new Finding(Verdict.Missing, "plugin", error, "containerd could not start it")
            : new Finding(Verdict.Ok, "plugin", plugin.ProxyAddress is { } address ? $"{name} at {address}" : name);
    }
}
