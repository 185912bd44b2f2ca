using System.CommandLine;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index copy SRC DST` copies what was published about an image to another repository that has the same image.
internal static class IndexCopyCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("SRC") { Description = "The image whose indexes are copied" };
        var destination = new Argument<string>("DST") { Description = "Repository that has the same image" };
        var format = IndexArguments.Format("Copy only our indexes, or only soci's [default: both]");
        var platformOptions = new PlatformOptions();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command(
            "copy", "Copy an image's published indexes to another repository") { source, destination, format, plainHttp };
        platformOptions.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var from = ImageReference.Parse(parsed.GetRequiredValue(source));
            var to = ImageReference.Parse(parsed.GetRequiredValue(destination));
            using var registry = IndexArguments.OpenRegistry([from, to], parsed.GetValue(plainHttp), parsed.HostsDirectory(), loggers);
            var copy = new IndexCopy(registry, loggers);
            var platforms = platformOptions.Of(parsed);

            var count = 0;
            foreach (var (found, manifest) in await IndexArguments.FindAsync(registry, from, platforms, cancellationToken))
            {
                foreach (var copied in await copy.RunAsync(from, to, manifest.Digest, parsed.GetValue(format), cancellationToken))
                {
                    Console.WriteLine($"{copied.Digest}: {copied.ArtifactType} of {manifest.Digest} ({found.Platform})");
                    count++;
                }
            }

            return count > 0 ? 0 : throw new CommandException($"{from} has no published " +
                $"index{(parsed.GetValue(format) is { } wanted ? " of format " + wanted.ToString().ToLowerInvariant() : "")}");
        });
        return command;
    }
}
