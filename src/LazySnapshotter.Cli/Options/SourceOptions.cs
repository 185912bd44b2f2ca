using System.CommandLine;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Node.Options;

namespace LazySnapshotter.Cli.Options;

// The options of commands that read images wherever they lie: where containerd listens, and which platforms are meant.
internal sealed class SourceOptions
{
    public const string Forms = "a reference in a registry, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE[:REF] or containerd:REF";

    private readonly PlatformOptions _platforms = new();

    public Option<string> Address { get; } = new("--address", "--containerd")
    {
        Description = "containerd's socket, for containerd:REF",
        HelpName = "SOCK",
        DefaultValueFactory = _ => DaemonOptions.DefaultContainerd,
    };

    public Option<string> Namespace { get; } = new("--namespace", "-n")
    {
        Description = "containerd's namespace, for containerd:REF (CRI uses k8s.io)",
        DefaultValueFactory = _ => ContainerdClient.DefaultNamespace,
    };

    public Option<bool> PlainHttp { get; } = ImageArguments.PlainHttp();

    public void AddTo(Command command)
    {
        _platforms.AddTo(command);
        command.Options.Add(Address);
        command.Options.Add(Namespace);
        command.Options.Add(PlainHttp);
    }

    public PlatformSelection Platforms(ParseResult parsed) => _platforms.Of(parsed);
}
