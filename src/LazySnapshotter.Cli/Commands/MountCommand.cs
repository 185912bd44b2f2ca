using System.CommandLine;
using LazySnapshotter.Cli.Opening;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Mounts.Images;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap mount REF DIR`: the whole image read-only under a directory, until Ctrl-C or SIGTERM.
internal static class MountCommand
{
    public static Command Create()
    {
        var options = new ImageOptions();
        var directory = new Argument<string>("DIR") { Description = "An existing directory" };

        var command = new Command(
            "mount", "Show a whole image read-only under a directory, without containerd; unmounts on Ctrl-C") { directory };
        options.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            if (!Environment.IsPrivilegedProcess)
                throw new CommandException("mount needs root (CAP_SYS_ADMIN, for mount(2)); ls and cat do not");
            var target = Path.GetFullPath(parsed.GetRequiredValue(directory));
            ImageMount.CheckTarget(target);
            await using var image = await OpenedImage.OpenAsync(options, parsed, loggers, cancellationToken);
            await using var mount = await ImageMount.MountAsync(image.Layers, target, loggers);
            await Console.Error.WriteLineAsync($"{image.Reference} is mounted on {target}; Ctrl-C unmounts it");
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Being told to stop is how this command ends well.
            }

            return 0;
        });
        return command;
    }
}
