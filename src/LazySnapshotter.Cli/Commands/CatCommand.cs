using System.CommandLine;
using System.Text;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap cat REF PATH`: one file's content; fetches only the spans that hold it.
internal static class CatCommand
{
    // Large enough that one read covers several spans, which then travel in one request.
    private const int ChunkSize = 4 << 20;

    public static Command Create()
    {
        var options = new ImageOptions();
        var path = new Argument<string>("PATH") { Description = "A file inside the image" };

        var command = new Command("cat", "Write a file of an image to standard output without pulling the image") { path };
        options.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            await using var image = await OpenedImage.OpenAsync(options, parsed, loggers, cancellationToken);
            var shown = parsed.GetRequiredValue(path);
            var node = image.Tree.Resolve(Encoding.UTF8.GetBytes(shown))
                ?? throw new CommandException($"{shown}: no such file or directory in {image.Reference}");
            var entry = image.Tree.EntryOf(node);
            if (entry.Type != TocEntryType.File)
                throw new CommandException($"{shown}: not a regular file");

            var buffer = new byte[Math.Min(ChunkSize, Math.Max(1, entry.Size))];
            for (long offset = 0; offset < entry.Size;)
            {
                var read = await image.Tree.ReadAsync(node, offset, buffer, cancellationToken);
                if (read == 0)
                    throw new InvalidDataException($"{shown}: ends at {offset} of {entry.Size} bytes");
                await StandardStream.Output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                offset += read;
            }

            return 0;
        });
        return command;
    }
}
