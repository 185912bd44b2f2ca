using System.CommandLine;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Copy;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap copy SRC DST`: an image and its index artifacts from one registry or repository to another.
internal static class CopyCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("SRC") { Description = "The image to copy" };
        var target = new Argument<string>("DST") { Description = "Where it goes, with the tag it gets" };
        var platform = ImageArguments.Platform("Copy the image of this platform alone: os/arch[/variant]");
        var allPlatforms = new Option<bool>("--all-platforms") { Description = "Copy the image of every platform [default]" };
        var noReferrers = new Option<bool>(
            "--no-referrers") { Description = "Leave behind what refers to the image: indexes, signatures, bills of material" };
        var fromPlainHttp = new Option<bool>("--from-plain-http") { Description = "Speak http to SRC's registry" };
        var toPlainHttp = new Option<bool>(
            "--to-plain-http") { Description = "Speak http to DST's registry (loopback registries are spoken to in http anyway)" };

        var command = new Command("copy", "Copy an image and its index artifacts to another registry or repository")
        {
            source, target, platform, allPlatforms, noReferrers, fromPlainHttp, toPlainHttp,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(platform) is not null && result.GetValue(allPlatforms))
                result.AddError("give either --platform or --all-platforms");
        });
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var (from, to) = (ImageReference.Parse(parsed.GetRequiredValue(source)), ImageReference.Parse(parsed.GetRequiredValue(target)));
            string[] plainHttp = [.. parsed.GetValue(fromPlainHttp)
                ? [from.Registry]
                : Array.Empty<string>(), .. parsed.GetValue(toPlainHttp)
                ? [to.Registry]
                : Array.Empty<string>()];
            using var client = new RegistryClient(ImageArguments.RegistrySection(plainHttp, parsed.HostsDirectory())
                .ToClientOptions(), loggers.CreateLogger<RegistryClient>());
            var copy = new ImageCopy(client, new ImageCopyOptions
            {
                Platform = parsed.GetValue(platform),
                Referrers = !parsed.GetValue(noReferrers),
            });

            var result = await CopyDisplay.ShowAsync(progress => copy.RunAsync(from, to, progress, cancellationToken));
            foreach (var left in result.LeftOut)
                await Console.Error.WriteLineAsync($"not copied: {left.MediaType} {left.Digest}");
            Console.WriteLine($"{to}: {Describe(result)}");
            return 0;
        });
        return command;
    }

    private static string Describe(ImageCopyResult result) =>
        $"{result.Root.Digest}; manifests: {result.ManifestsCopied} copied, {result.ManifestsPresent} present, {result.Referrers} of " +
            $"them referrers; "
        + $"blobs: {Tally(result.Uploaded)} copied, {Tally(result.Mounted)} mounted, {Tally(result.Present)} " +
            $"present; {result.Elapsed.TotalSeconds:0.00} s";

    private static string Tally(ImageCopyResult.Tally tally) => tally.Blobs == 0 ? "0" : $"{tally.Blobs} ({ByteSize.Format(tally.Bytes)})";
}
