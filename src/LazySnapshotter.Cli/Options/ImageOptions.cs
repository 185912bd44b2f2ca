using System.CommandLine;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Options;

// The argument and options of commands that look into one image: ls, cat and mount.
internal sealed class ImageOptions
{
    public Argument<string> Reference { get; } = ImageArguments.Reference();

    public Option<Platform?> Platform { get; } = ImageArguments.Platform();

    public Option<string?> Root { get; } = RootOption.Create();

    public Option<bool> PlainHttp { get; } = ImageArguments.PlainHttp();

    /// <summary>The reference comes first: a command adds its own arguments behind it.</summary>
    public void AddTo(Command command)
    {
        command.Arguments.Insert(0, Reference);
        command.Options.Add(Platform);
        command.Options.Add(Root);
        command.Options.Add(PlainHttp);
    }
}
