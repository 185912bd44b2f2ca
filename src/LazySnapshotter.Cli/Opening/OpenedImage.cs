using System.CommandLine;
using System.Globalization;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Node.Composition;
using LazySnapshotter.Node.Images;
using LazySnapshotter.Node.Catalog;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Opening;

// An image a command looks into: resolved in its registry, every layer opened by its index. A layer whose index is neither
// on this node nor in the registry is streamed and indexed first, which is told on standard error because it takes as long
// as a pull.
internal sealed class OpenedImage : IAsyncDisposable
{
    private readonly NodeStorage _storage;

    // For a user without a home: what is fetched is kept for as long as the command runs.
    private readonly DirectoryInfo? _scratch;

    private OpenedImage(NodeStorage storage, DirectoryInfo? scratch, ImageReference reference, IReadOnlyList<LazyLayer> layers)
    {
        _storage = storage;
        _scratch = scratch;
        Reference = reference;
        Layers = layers;
        Tree = new ImageTree(layers);
    }

    public ImageReference Reference { get; }

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<LazyLayer> Layers { get; }

    public ImageTree Tree { get; }

    public static async Task<OpenedImage> OpenAsync(
        ImageOptions options, ParseResult parsed, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var image = ImageReference.Parse(parsed.GetRequiredValue(options.Reference));
        string[] plainHttp = parsed.GetValue(options.PlainHttp) ? [image.Registry] : [];
        var hasNoRoot = parsed.GetValue(options.Root) is null && RootOption.OfThisUser() is null;
        var scratch = hasNoRoot ? Directory.CreateTempSubdirectory("lazysnap-") : null;
        NodeStorage? storage = null;
        try
        {
            storage = NodeStorage.Open(
                new DaemonOptions
                {
                    Root = scratch?.FullName ?? parsed.RootOf(options.Root),
                    Registry = ImageArguments.RegistrySection(plainHttp, parsed.HostsDirectory()),
                },
                loggers);

            // What is on the node can be looked at without a network, too.
            var resolved = await storage.Registry.ResolveAsync(
                image, parsed.GetValue(options.Platform) ?? Platform.Current, rememberedIfUnreachable: true, cancellationToken);
            if (resolved.TagSeenAt is { } seenAt)
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"{image}: the registry cannot be reached; this is what the tag named on {seenAt.ToLocalTime():yyyy-MM-dd HH:mm}"));
            foreach (var layer in resolved.Manifest.Layers.Where(layer => !storage.Indexes.ContainsFor(layer.Digest, image.Name)))
                await Console.Error.WriteLineAsync($"{layer.Digest}: no index on this node; unless the registry has one, the layer " +
                    $"({ByteSize.Format(layer.Size)}) is fetched once to make it");

            var origin = new LayerOrigin(image, resolved.ManifestDocument.Descriptor.Digest);
            var layers = await Task.WhenAll(
                resolved.Manifest.Layers.Select(layer => storage.Catalog.OpenAsync(origin, layer.Digest, cancellationToken)));
            return new OpenedImage(storage, scratch, image, layers);
        }
        catch
        {
            await CloseAsync(storage, scratch);
            throw;
        }
    }

    public ValueTask DisposeAsync() => CloseAsync(_storage, _scratch);

    private static async ValueTask CloseAsync(NodeStorage? storage, DirectoryInfo? scratch)
    {
        if (storage is not null)
            await storage.DisposeAsync();
        scratch?.Delete(recursive: true);
    }
}
