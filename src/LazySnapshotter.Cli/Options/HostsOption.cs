using System.CommandLine;

namespace LazySnapshotter.Cli.Options;

// --hosts-dir, valid for every command that speaks to a registry, under the name it has at ctr and nerdctl.
internal static class HostsOption
{
    private static readonly Option<string?> _directory = new("--hosts-dir")
    {
        Description = "Where containerd's hosts.toml files are, for what speaks to a registry [default: /etc/containerd/certs.d]",
        HelpName = "DIR",
        Recursive = true,
    };

    public static void AddTo(RootCommand root) => root.Options.Add(_directory);

    /// <summary>Null: nothing was said.</summary>
    public static string? HostsDirectory(this ParseResult parsed) => parsed.GetValue(_directory);
}
