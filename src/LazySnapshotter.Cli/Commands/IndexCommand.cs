using System.CommandLine;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index …`: making indexes, looking at them, and moving them between this node and registries.
internal static class IndexCommand
{
    public static Command Create() => new("index", "Make, inspect and publish layer indexes")
    {
        IndexBuildCommand.Create(),
        IndexShowCommand.Create(),
        IndexPushCommand.Create(),
        IndexPullCommand.Create(),
        IndexCopyCommand.Create(),
        IndexRmCommand.Create(),
        IndexListCommand.Create(),
    };
}
