using System.CommandLine;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap pull REF`: puts an image into containerd without fetching the layers the plugin serves lazily.
internal static class PullCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var containerd = new Option<string>("--containerd")
        {
            Description = "containerd's socket",
            HelpName = "SOCK",
            DefaultValueFactory = _ => DaemonOptions.DefaultContainerd,
        };
        var @namespace = new Option<string>("--namespace", "-n")
        {
            Description = "containerd's namespace (CRI uses k8s.io)",
            DefaultValueFactory = _ => ContainerdClient.DefaultNamespace,
        };
        var snapshotter = new Option<string>("--snapshotter")
        {
            Description = "The name containerd's configuration gives the plugin",
            DefaultValueFactory = _ => PullOptions.DefaultSnapshotter,
        };
        var platform = ImageArguments.Platform();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command("pull", "Put an image into containerd; its layers stay where they are") { reference, containerd,
            @namespace, snapshotter, platform, plainHttp };
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            using var registry = new RegistryClient(
                ImageArguments.RegistrySection(parsed.GetValue(plainHttp) ? [image.Registry] : [], parsed.HostsDirectory())
                    .ToClientOptions(), loggers.CreateLogger<RegistryClient>());
            using var client = new ContainerdClient(parsed.GetRequiredValue(containerd), parsed.GetRequiredValue(@namespace));
            var pull = new ImagePull(client, registry, new PullOptions
            {
                Snapshotter = parsed.GetRequiredValue(snapshotter),
                Platform = parsed.GetValue(platform),
            });

            var result = await PullDisplay.ShowAsync(progress => pull.RunAsync(image, progress, cancellationToken));
            Console.WriteLine(
                $"{result.ImageName}: {result.LayersLazy} lazy, {result.LayersUnpacked} unpacked, {result.LayersPresent} present; "
                + $"{ByteSize.Format(result.BytesFetched)} in {result.Elapsed.TotalSeconds:0.00} s");
            return 0;
        });
        return command;
    }
}
