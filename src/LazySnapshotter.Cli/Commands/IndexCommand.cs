using System.CommandLine;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index …`: making indexes, looking at them, proving them, and keeping them in registries.
internal static class IndexCommand
{
    public static Command Create() => new("index", "Make, inspect, verify and publish layer indexes")
    {
        IndexBuildCommand.Create(),
        IndexShowCommand.Create(),
        IndexVerifyCommand.Create(),
        IndexPushCommand.Create(),
        IndexPullCommand.Create(),
        IndexCopyCommand.Create(),
        IndexListCommand.Create(),
        IndexRmCommand.Create(),
    };
}
