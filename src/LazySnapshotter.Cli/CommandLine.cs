using System.CommandLine;
using System.CommandLine.Parsing;
using LazySnapshotter.Cli.Commands;

namespace LazySnapshotter.Cli;

// The program's command tree. Exit codes: 0 done, 1 failed (one line on standard error says what and why),
// 2 wrong usage, 130 interrupted.
internal static class CommandLine
{
    private const int UsageExitCode = 2;

    // Calls under way are answered and mounts taken down before the process ends.
    private static readonly TimeSpan _shutdownPatience = TimeSpan.FromSeconds(30);

    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Containers start before their layers are on the node: a lazy-loading containerd snapshotter for unmodified images.")
        {
            ServeCommand.Create(),
            PullCommand.Create(),
            MountCommand.Create(),
            LsCommand.Create(),
            CatCommand.Create(),
            IndexCommand.Create(),
            CopyCommand.Create(),
            RegistryCommand.Create(),
            DoctorCommand.Create(),
        };

        LogOptions.AddTo(root);
        HostsOption.AddTo(root);

        var parsed = root.Parse(args);
        return parsed.Errors.Count > 0 ? ReportUsageAsync(parsed) : parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = _shutdownPatience });
    }

    private static async Task<int> ReportUsageAsync(ParseResult parsed)
    {
        foreach (var error in parsed.Errors)
            await Console.Error.WriteLineAsync($"lazysnap: {error.Message}");
        var command = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult part; result = part.Parent)
            command.Insert(0, part.Command is RootCommand ? "lazysnap" : part.Command.Name);
        await Console.Error.WriteLineAsync($"Try '{string.Join(' ', command)} --help'.");
        return UsageExitCode;
    }
}
