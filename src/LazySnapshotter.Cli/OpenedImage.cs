using System.Globalization;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Daemon;
using LazySnapshotter.Daemon.Composition;
using LazySnapshotter.Mounts.Images;
using LazySnapshotter.Mounts.Library;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli;

// An image a command looks into: resolved in its registry, every layer opened by its index. A layer whose index is neither
// on this node nor in the registry is streamed and indexed first, which is told on standard error because it takes as long
// as a pull.
internal sealed class OpenedImage : IAsyncDisposable
{
    private readonly NodeStorage _storage;

    private OpenedImage(NodeStorage storage, ImageReference reference, IReadOnlyList<LazyLayer> layers)
    {
        _storage = storage;
        Reference = reference;
        Layers = layers;
        Tree = new ImageTree(layers);
    }

    public ImageReference Reference { get; }

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<LazyLayer> Layers { get; }

    public ImageTree Tree { get; }

    public static async Task<OpenedImage> OpenAsync(string reference, string root, bool plainHttp, string? hostsDirectory, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var image = ImageReference.Parse(reference);
        var options = new DaemonOptions { Root = root, Registry = ImageArguments.RegistrySection(plainHttp ? [image.Registry] : [], hostsDirectory) };
        var storage = NodeStorage.Open(options, loggers);
        try
        {
            // What is on the node can be looked at without a network, too.
            var resolved = await storage.Registry.ResolveAsync(image, Platform.Current, rememberedIfUnreachable: true, cancellationToken);
            if (resolved.TagSeenAt is { } seenAt)
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{image}: the registry cannot be reached; this is what the tag named on {seenAt.ToLocalTime():yyyy-MM-dd HH:mm}"));
            foreach (var layer in resolved.Manifest.Layers.Where(layer => !storage.Indexes.ContainsFor(layer.Digest, image.Name)))
                await Console.Error.WriteLineAsync($"{layer.Digest}: no index on this node; unless the registry has one, the layer ({ByteSize.Format(layer.Size)}) is fetched once to make it");

            var origin = new LayerOrigin(image, resolved.ManifestDocument.Descriptor.Digest);
            var layers = await Task.WhenAll(resolved.Manifest.Layers.Select(layer => storage.Library.OpenAsync(origin, layer.Digest, cancellationToken)));
            return new OpenedImage(storage, image, layers);
        }
        catch
        {
            await storage.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();
}
