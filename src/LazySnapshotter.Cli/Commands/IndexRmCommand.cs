using System.CommandLine;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index rm REF` takes an image's published indexes out of its registry; the image and this node's own indexes stay.
internal static class IndexRmCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var format = IndexArguments.Format("Remove only our indexes, or only soci's [default: both]");
        var platformOptions = new PlatformOptions();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command("rm", "Remove an image's published indexes from its registry") { reference, format, plainHttp };
        platformOptions.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            using var registry = IndexArguments.OpenRegistry([image], parsed.GetValue(plainHttp), parsed.HostsDirectory(), loggers);
            var removal = new IndexRemoval(registry);
            var platforms = platformOptions.Of(parsed);

            var count = 0;
            foreach (var (found, manifest) in await IndexArguments.FindAsync(registry, image, platforms, cancellationToken))
            {
                foreach (var removed in await removal.RunAsync(image, manifest.Digest, parsed.GetValue(format), cancellationToken))
                {
                    Console.WriteLine($"{removed.Digest}: {removed.ArtifactType} of {manifest.Digest} ({found.Platform}) removed");
                    count++;
                }
            }

            if (count == 0)
                Console.WriteLine($"{image}: nothing to remove");
            return 0;
        });
        return command;
    }
}
