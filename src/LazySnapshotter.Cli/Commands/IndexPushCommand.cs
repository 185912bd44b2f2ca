using System.CommandLine;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index push REF` publishes the indexes this node has of an image's layers, as an artifact beside the image; the
// image stays what it is. `index build` comes first: what is missing is said, and is failure enough for a script to stop.
internal static class IndexPushCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var format = IndexArguments.Format("Push our index, or soci's from --layout [default: native]");
        var layout = new Option<string?>("--layout")
        {
            Description = "Push what lies in an OCI image layout, as `index build --format soci -o DIR` leaves it, instead of this " +
                "node's indexes",
            HelpName = "DIR",
        };
        var platformOptions = new PlatformOptions();
        var root = RootOption.Create();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command(
            "push", "Publish the indexes of an image's layers in its registry") { reference, format, layout, root, plainHttp };
        platformOptions.AddTo(command);
        command.Validators.Add(result =>
        {
            // By its word: an option whose value is wrong throws when it is asked for here, before its own error is told.
            var isSoci = result.GetResult(format)?.Tokens is [{ Value: var word }]
                && word.Equals(nameof(IndexFormat.Soci), StringComparison.OrdinalIgnoreCase);
            if (isSoci && result.GetValue(layout) is null)
                result.AddError("--format soci needs --layout DIR: this node's index store has indexes of our own");
        });
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            using var registry = IndexArguments.OpenRegistry([image], parsed.GetValue(plainHttp), parsed.HostsDirectory(), loggers);
            if (parsed.GetValue(layout) is { } there && !Directory.Exists(there))
                throw new CommandException($"{there}: no such directory");
            var push = new IndexPush(registry);
            var platforms = platformOptions.Of(parsed);

            var isComplete = true;
            foreach (var (found, manifest) in await IndexArguments.FindAsync(registry, image, platforms, cancellationToken))
            {
                var results = parsed.GetValue(layout) is { } directory
                    ? await push.RunFromLayoutAsync(
                        image, manifest.Digest, directory, parsed.GetValue(format) ?? IndexFormat.Native, cancellationToken)
                    : [await push.RunAsync(image, manifest, found.Layers, new LayerIndexStore(parsed.RootOf(root)), cancellationToken)];
                foreach (var result in results)
                    await ReportAsync(found.Platform, manifest, result);
                if (results.All(result => result.Artifact is null))
                    await Console.Error.WriteLineAsync(
                        $"lazysnap: {manifest.Digest} ({found.Platform}): nothing to push; `lazysnap index build` makes indexes");
                isComplete &= results.Any(result => result.Artifact is not null)
                    && !results.Any(result => result.Missing.Any(missing => missing.IsLazy));
            }

            return isComplete ? 0 : Failure.ExitCode;
        });
        return command;
    }

    private static async Task ReportAsync(Platform platform, Descriptor manifest, IndexPushResult result)
    {
        foreach (var pushed in result.Pushed)
            Console.WriteLine($"{pushed.Layer}: {ByteSize.Format(pushed.Part.Size)} {Describe(pushed.How)}");
        foreach (var missing in result.Missing)
            await Console.Error.WriteLineAsync($"{(missing.IsLazy ? "lazysnap: " : "")}{missing.Layer.Digest}: {missing.Reason}");
        if (result.Artifact is not null)
            Console.WriteLine($"{result.Artifact.Digest}: index of {manifest.Digest} ({platform}), {result.Pushed.Count} " +
                $"of {result.Pushed.Count + result.Missing.Count} layers");
    }

    private static string Describe(BlobPush how) => how switch
    {
        BlobPush.Present => "was there",
        BlobPush.Mounted => "mounted",
        _ => "uploaded",
    };
}
