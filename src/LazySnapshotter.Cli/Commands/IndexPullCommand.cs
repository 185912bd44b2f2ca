using System.CommandLine;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Artifacts.Transfer;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// `lazysnap index pull REF` gets the published indexes of an image's layers onto this node, whole, so that the image's next
// start here is lazy whatever the registry says then.
internal static class IndexPullCommand
{
    public static Command Create()
    {
        var reference = ImageArguments.Reference();
        var format = IndexArguments.Format("Take only our indexes, or only soci's [default: ours, then soci's]");
        var platformOptions = new PlatformOptions();
        var root = RootOption.Create();
        var plainHttp = ImageArguments.PlainHttp();

        var command = new Command(
            "pull", "Get the published indexes of an image's layers onto this node") { reference, format, root, plainHttp };
        platformOptions.AddTo(command);
        command.SetAction(async (parsed, loggers, cancellationToken) =>
        {
            var image = ImageReference.Parse(parsed.GetRequiredValue(reference));
            using var registry = IndexArguments.OpenRegistry([image], parsed.GetValue(plainHttp), parsed.HostsDirectory(), loggers);
            var store = new LayerIndexStore(parsed.RootOf(root));
            var pull = new IndexPull(store, new IndexAcquisition(Sources(parsed.GetValue(format), registry, store, loggers)));
            var platforms = platformOptions.Of(parsed);

            var failed = false;
            foreach (var (found, manifest) in await IndexArguments.FindAsync(registry, image, platforms, cancellationToken))
            {
                foreach (var pulled in await pull.RunAsync(image, manifest.Digest, found.Layers, cancellationToken))
                {
                    failed |= pulled.Failure is not null;
                    var source = pulled.Source is null ? "was here" : "from " + pulled.Source;
                    if (pulled.Failure is not null)
                        await Console.Error.WriteLineAsync($"lazysnap: {pulled.Layer.Digest}: {pulled.Failure}");
                    else
                        Console.WriteLine($"{pulled.Layer.Digest}: {ByteSize.Format(pulled.Length)} {source}");
                }
            }

            return failed ? Failure.ExitCode : 0;
        });
        return command;
    }

    private static List<ILayerIndexSource> Sources(
        IndexFormat? format, RegistryClient registry, LayerIndexStore store, ILoggerFactory loggers)
    {
        var discovery = new IndexDiscovery(registry, loggers);
        var sources = new List<ILayerIndexSource>();
        if (format is null or IndexFormat.Native)
            sources.Add(new NativeIndexSource(discovery, registry, store, loggers) { IsWhole = true });
        if (format is null or IndexFormat.Soci)
            sources.AddRange(
                [new SociIndexSource(2, discovery, registry, store, loggers), new SociIndexSource(1, discovery, registry, store, loggers)]);
        return sources;
    }
}
