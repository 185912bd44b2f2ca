using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.Native;

// Indexes from our artifacts. Where an image has several, each layer takes the first of its indexes that proves good.
public sealed class NativeIndexSource(IndexDiscovery discovery, RegistryClient registry, LayerIndexStore store, ILoggerFactory loggers) : ILayerIndexSource
{
    public const string SourceName = "native";

    private readonly ILogger _logger = loggers.CreateLogger<NativeIndexSource>();

    public string Name => SourceName;

    public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        var image = await discovery.OfAsync(origin, cancellationToken);
        foreach (var (artifact, content, _) in await image.NativeAsync(cancellationToken))
        {
            foreach (var part in content?.Layers.Where(part => part.LayerDigest == layer) ?? [])
            {
                try
                {
                    var index = await GetAsync(image.Image, part, cancellationToken);
                    ArtifactsLog.IndexObtained(_logger, layer, index.Id, artifact.Digest, image.Image);
                    return new ObtainedIndex(index, []);
                }
                catch (Exception e) when (e is InvalidDataException or RegistryException)
                {
                    ArtifactsLog.IndexRefused(_logger, layer, artifact.Digest, image.Image, e.Message);
                }
            }
        }

        return null;
    }

    private async Task<LayerIndex> GetAsync(ImageReference image, NativeArtifactLayer part, CancellationToken cancellationToken)
    {
        await using var blob = new VerifyingStream(await registry.OpenBlob(image, part.Index.Digest, part.Index.Size).OpenAsync(cancellationToken), part.Index);
        return await store.AddAsync(part.LayerDigest, blob, part.Identity, cancellationToken);
    }
}
