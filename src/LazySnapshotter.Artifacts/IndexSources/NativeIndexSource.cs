using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.IndexSources;

// Indexes from our artifacts. Where an image has several, each layer takes the first of its indexes that proves good. An index
// is open when its front is here; the rest of the file follows in the background.
public sealed class NativeIndexSource(IndexDiscovery discovery, RegistryClient registry, LayerIndexStore store, ILoggerFactory loggers)
    : ILayerIndexSource
{
    public const string SourceName = "native";

    private readonly ILogger _logger = loggers.CreateLogger<NativeIndexSource>();

    public string Name => SourceName;

    /// <summary>An index is obtained when all of it is here.</summary>
    public bool IsWhole { get; init; }

    public void AskAhead(LayerOrigin origin) => _ = discovery.AskAheadAsync(origin, image => image.NativeAsync(CancellationToken.None));

    public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
    {
        var image = await discovery.OfAsync(origin, cancellationToken);
        foreach (var (artifact, content, _) in await image.NativeAsync(cancellationToken))
        {
            foreach (var part in content?.Layers.Where(part => part.LayerDigest == layer && (identity is null || part.Identity == identity))
                ?? [])
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
        // Another repository's images brought it: that this one publishes the same is all there is to learn.
        if (store.TryOpen(part.LayerDigest, part.Identity, out _) is { } known)
        {
            store.SetPublished(part.LayerDigest, part.Identity, image.Name);
            return known;
        }

        if (part.Content is { } bytes)
            return await store.AddAsync(part.LayerDigest, new MemoryStream(bytes), image.Name, part.Identity, cancellationToken);
        var blob = registry.OpenBlob(image, part.Index.Digest, part.Index.Size);
        if (!IsWhole)
            return await store.AddRemoteAsync(part.LayerDigest, blob, part.Index.Size, image.Name, part.Identity, cancellationToken);
        await using var content = new VerifyingStream(await blob.OpenAsync(ReadPriority.Metadata(), cancellationToken), part.Index);
        return await store.AddAsync(part.LayerDigest, content, image.Name, part.Identity, cancellationToken);
    }
}
