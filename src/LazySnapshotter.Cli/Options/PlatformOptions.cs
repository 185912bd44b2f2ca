using System.CommandLine;
using System.CommandLine.Parsing;
using LazySnapshotter.Artifacts.Sources;

namespace LazySnapshotter.Cli.Options;

// Which images of an image index a command means.
internal sealed class PlatformOptions
{
    private readonly Option<string[]> _named = new("--platform")
    {
        Description = "Which image of an index is meant: os/arch[/variant]; may be repeated [default: this machine's]",
        HelpName = "PLATFORM",
    };

    private readonly Option<bool> _all = new("--all-platforms") { Description = "Every image of an index" };

    public void AddTo(Command command)
    {
        command.Options.Add(_named);
        command.Options.Add(_all);
        command.Validators.Add(Validate);
    }

    public PlatformSelection Of(ParseResult parsed) =>
        parsed.GetValue(_all) ? PlatformSelection.All
        : parsed.GetValue(_named) is { Length: > 0 } texts ? PlatformSelection.Parse(texts)
        : PlatformSelection.Machine;

    private void Validate(CommandResult result)
    {
        var texts = result.GetValue(_named) ?? [];
        if (texts.Length > 0 && result.GetValue(_all))
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
