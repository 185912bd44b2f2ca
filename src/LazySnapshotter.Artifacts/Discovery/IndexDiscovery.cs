using System.Collections.Concurrent;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.Discovery;

// Which index artifacts the registry has for which image. One per process, shared by all sources, so that the layers of an
// image cost one discovery together:
//
//   our artifact      1 list of referrers, 1 manifest per artifact
//   soci, version 2   1 manifest (the image's), 1 manifest (the index's)
//   soci, version 1   nothing but 1 manifest per index; the list is the one above
//
// Where the image's manifest is not known, resolving the reference comes first, and the image's manifest is known then.
public sealed class IndexDiscovery
{
    private readonly RegistryClient _registry;
    private readonly DiscoveryTimes _times;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<ImageReference, ImageArtifacts> _images = new();
    private readonly ConcurrentDictionary<ImageReference, Remembered<ImageArtifacts>> _resolved = new();

    public IndexDiscovery(RegistryClient registry, ILoggerFactory loggers)
        : this(registry, DiscoveryTimes.Default, loggers)
    {
    }

    internal IndexDiscovery(RegistryClient registry, DiscoveryTimes times, ILoggerFactory loggers)
    {
        _registry = registry;
        _times = times;
        _logger = loggers.CreateLogger<IndexDiscovery>();
    }

    /// <exception cref="RegistryException">The reference cannot be resolved.</exception>
    internal Task<ImageArtifacts> OfAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        if (origin.Manifest is { } manifest)
            return Task.FromResult(Of(origin.Image, manifest, known: null));

        Trim(_resolved);
        return _resolved.GetOrAdd(
            origin.Image, image => new Remembered<ImageArtifacts>(() => ResolveAsync(image), _times.Answer, _times.Failure, _times.Clock))
            .GetAsync(cancellationToken);
    }

    /// <summary>Has a question about an image answered for whoever will ask it. Never fails.</summary>
    internal async Task AskAheadAsync(LayerOrigin origin, Func<ImageArtifacts, Task> question)
    {
        try
        {
            await question(await OfAsync(origin, CancellationToken.None));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            // Whoever asks is told.
        }
    }

    private async Task<ImageArtifacts> ResolveAsync(ImageReference image)
    {
        var resolved = await _registry.ResolveAsync(image, Platform.Current, CancellationToken.None);
        return Of(image, resolved.ManifestDocument.Descriptor.Digest, resolved.Manifest);
    }

    private ImageArtifacts Of(ImageReference image, Digest manifest, ImageManifest? known)
    {
        Trim(_images);
        return _images.GetOrAdd(image with { Tag = null, Digest = manifest }, (key, self) =>
            new ImageArtifacts(self._registry, key, known, self._times, self._logger), this);
    }

    // What is dropped costs its requests again, no more.
    private static void Trim<T>(ConcurrentDictionary<ImageReference, T> images)
    {
        if (images.Count >= ArtifactLimits.RememberedImagesMax)
            images.Clear();
    }
}
