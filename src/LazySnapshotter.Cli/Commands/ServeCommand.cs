using System.CommandLine;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Daemon;
using LazySnapshotter.Node.Options;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap serve`: the daemon containerd talks to.
internal static class ServeCommand
{
    public static Command Create()
    {
        var address = new Option<string?>("--address") { Description = $"The Unix socket containerd connects to " +
            $"[default: {DaemonOptions.DefaultAddress}]", HelpName = "SOCK" };
        var root = new Option<string?>("--root") { Description = $"Where snapshots, indexes and fetched bytes are kept " +
            $"[default: {DaemonOptions.DefaultRoot}]", HelpName = "DIR" };
        var containerd = new Option<string?>(
            "--containerd") { Description = $"containerd's own socket [default: {DaemonOptions.DefaultContainerd}]", HelpName = "SOCK" };
        var config = new Option<string?>("--config") { Description = "Configuration file (JSON, see docs/CONFIGURATION.md); options " +
            "above win over it", HelpName = "FILE" };

        var command = new Command("serve", "Run the snapshotter daemon") { address, root, containerd, config };
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var options = parsed.GetValue(config) is { } file ? DaemonOptions.Read(file) : new DaemonOptions();
            options = options with
            {
                Address = parsed.GetValue(address) ?? options.Address,
                Root = parsed.GetValue(root) ?? options.Root,
                Containerd = parsed.GetValue(containerd) ?? options.Containerd,
                Registry = options.Registry with { HostsDirectory = parsed.HostsDirectory() ?? options.Registry.HostsDirectory },
            };
            if (options.WhyNot() is { } why)
                throw new CommandException(why);
            if (!Environment.IsPrivilegedProcess)
                throw new CommandException("serve needs root (CAP_SYS_ADMIN, for mount(2))");
            await SnapshotterDaemon.RunAsync(options, loggers, cancellationToken);
            return 0;
        });
        return command;
    }
}
