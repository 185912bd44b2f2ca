using System.CommandLine;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap registry …`: about registries themselves.
internal static class RegistryCommand
{
    public static Command Create() => new("registry", "Look into registries") { RegistryCheckCommand.Create() };
}
