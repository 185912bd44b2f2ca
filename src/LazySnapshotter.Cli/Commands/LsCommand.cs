using System.CommandLine;
using System.Text;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap ls REF [PATH]`: the image's merged tree from the indexes alone; file content is never fetched.
internal static class LsCommand
{
    public static Command Create()
    {
        var options = new ImageOptions();
        var path = new Argument<string>("PATH") { Description = "A path inside the image", DefaultValueFactory = _ => "/" };
        var longFormat = new Option<bool>("--long", "-l") { Description = "Mode, owner, size and time of each entry" };
        var recursive = new Option<bool>("--recursive", "-R") { Description = "Everything below the path, one full path a line" };

        var command = new Command("ls", "List a directory of an image without pulling it") { path, longFormat, recursive };
        options.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            await using var image = await OpenedImage.OpenAsync(options, parsed, loggers, cancellationToken);
            var shown = parsed.GetRequiredValue(path);
            var node = image.Tree.Resolve(Encoding.UTF8.GetBytes(shown), followLast: !parsed.GetValue(longFormat))
                ?? throw new CommandException($"{shown}: no such file or directory in {image.Reference}");

            await using var output = new ByteWriter(StandardStream.Output);
            var lines = new Listing(image.Tree, output, parsed.GetValue(longFormat));
            if (image.Tree.EntryOf(node).Type != TocEntryType.Directory)
                lines.Write(Encoding.UTF8.GetBytes(shown), node);
            else if (parsed.GetValue(recursive))
                lines.WriteBelow(Encoding.UTF8.GetBytes(shown.TrimEnd('/')), node);
            else
                lines.WriteChildren(node);
            return 0;
        });
        return command;
    }
}
