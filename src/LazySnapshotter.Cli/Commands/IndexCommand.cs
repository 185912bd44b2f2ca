using System.CommandLine;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index …`: making indexes and looking at them.
internal static class IndexCommand
{
    public static Command Create() => new("index", "Make, inspect and verify layer indexes")
    {
        IndexBuildCommand.Create(),
        IndexShowCommand.Create(),
        IndexVerifyCommand.Create(),
    };
}
