using System.CommandLine;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index …`: making indexes and looking at them.
internal static class IndexCommand
{
    public static Command Create() => new("index", "Make and inspect layer indexes")
    {
        IndexBuildCommand.Create(),
        IndexShowCommand.Create(),
    };
}
