using System.CommandLine;
using System.CommandLine.Parsing;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Daemon;
using LazySnapshotter.Daemon.Containerd;

namespace LazySnapshotter.Cli;

// The options of commands that read images wherever they lie: where containerd listens, and which platforms are meant.
internal sealed class SourceOptions
{
    public const string Forms = "a reference in a registry, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE[:REF] or containerd:REF";

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

    public Option<string[]> Platform { get; } = new("--platform")
    {
        Description = "Which image of an index is meant: os/arch[/variant]; may be repeated [default: this machine's]",
        HelpName = "PLATFORM",
    };

    public Option<bool> AllPlatforms { get; } = new("--all-platforms") { Description = "Every image of an index" };

    public Option<bool> PlainHttp { get; } = ImageArguments.PlainHttp();

    public void AddTo(Command command)
    {
        command.Options.Add(Platform);
        command.Options.Add(AllPlatforms);
        command.Options.Add(Address);
        command.Options.Add(Namespace);
        command.Options.Add(PlainHttp);
        command.Validators.Add(Validate);
    }

    public PlatformSelection Platforms(ParseResult parsed) =>
        parsed.GetValue(AllPlatforms) ? PlatformSelection.All
        : parsed.GetValue(Platform) is { Length: > 0 } texts ? PlatformSelection.Parse(texts)
        : PlatformSelection.Machine;

    private void Validate(CommandResult result)
    {
        var texts = result.GetValue(Platform) ?? [];
        if (texts.Length > 0 && result.GetValue(AllPlatforms))
            result.AddError("give either --platform or --all-platforms");
        try
        {
            PlatformSelection.Parse(texts);
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
        }
    }
}
