using System.Globalization;
using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.IndexSources;

// Indexes from soci's artifacts: the layer's zTOC is fetched, made into an index file of ours and kept as one. A zTOC does
// not say whose it is, its descriptor does; what can be checked is that it was made of a blob as long as the layer.
public sealed class SociIndexSource : ILayerIndexSource
{
    // Where a gzip header ends. One that is longer (it may have a file name and a comment) is refused with the zTOC.
    private const int BlobStartLength = 4096;

    // Importing takes a core.
    private static readonly SemaphoreSlim _importing = new(Environment.ProcessorCount);

    private readonly IndexDiscovery _discovery;
    private readonly RegistryClient _registry;
    private readonly LayerIndexStore _store;
    private readonly ILogger _logger;
    private readonly int _version;

    /// <param name="version">Of soci's index: 2 is named by the image's manifest, 1 refers to it.</param>
    public SociIndexSource(int version, IndexDiscovery discovery, RegistryClient registry, LayerIndexStore store, ILoggerFactory loggers)
    {
        _version = version;
        _discovery = discovery;
        _registry = registry;
        _store = store;
        _logger = loggers.CreateLogger<SociIndexSource>();
    }

    public string Name => NameOf(_version);

    public static string NameOf(int version) => "soci-v" + version.ToString(CultureInfo.InvariantCulture);

    // Of version 1 the list that all kinds are in is enough: which of its manifests will be read is not known yet.
    public void AskAhead(LayerOrigin origin) => _ = _discovery.AskAheadAsync(
        origin, image => _version == 2 ? image.SociV2Async(CancellationToken.None) : image.ReferrersAsync(CancellationToken.None));

    public async Task<ObtainedIndex?> ObtainAsync(LayerOrigin origin, Digest layer, string? identity, CancellationToken cancellationToken)
    {
        var image = await _discovery.OfAsync(origin, cancellationToken);
        foreach (var (
            artifact, content, _) in await (_version == 2 ? image.SociV2Async(cancellationToken) : image.SociV1Async(cancellationToken)))
        {
            foreach (var part in content?.Ztocs.Where(part => part.LayerDigest == layer) ?? [])
            {
                try
                {
                    var descriptor = await DescriptorOfAsync(image, layer, cancellationToken);
                    var diffId = image.DiffIdOfAsync(layer, cancellationToken); // comes while the zTOC does
                    var ztoc = Ztoc.Parse(await DownloadAsync(image.Image, part.Blob, cancellationToken));
                    var options = new ZtocImportOptions { DropXattrs = part.DisableXattrs, DiffId = await diffId };
                    var index = await ImportAsync(image.Image, ztoc, descriptor, identity, options, cancellationToken);
                    ArtifactsLog.IndexObtained(_logger, layer, index.Id, artifact.Digest, image.Image);
                    var warm = await WarmAsync(image.Image, content!, artifact.Digest, ztoc, index, cancellationToken);
                    return new ObtainedIndex(index, warm);
                }
                catch (Exception e) when (e is InvalidDataException or RegistryException)
                {
                    ArtifactsLog.IndexRefused(_logger, layer, artifact.Digest, image.Image, e.Message);
                }
            }
        }

        return null;
    }

    private static async Task<Descriptor> DescriptorOfAsync(ImageArtifacts image, Digest layer, CancellationToken cancellationToken) =>
        (await image.ManifestAsync(cancellationToken)).Layers.FirstOrDefault(each => each.Digest == layer)
        ?? throw new InvalidDataException($"image manifest {image.ManifestDigest} has no layer {layer}");

    private async Task<LayerIndex> ImportAsync(
        ImageReference image, Ztoc ztoc, Descriptor layer, string? identity, ZtocImportOptions options, CancellationToken cancellationToken)
    {
        if (ztoc.NeedsBlobStart)
            options = options with { BlobStart = await ReadStartAsync(image, layer, cancellationToken) };

        await _importing.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => _store.Import(ztoc, layer, image.Name, identity, options), cancellationToken);
        }
        finally
        {
            _importing.Release();
        }
    }

    // Without the list nothing is lost but time: what is wrong with it does not speak against the index.
    private async Task<IReadOnlyList<SpanRangeToWarm>> WarmAsync(
        ImageReference image, SociIndexManifest content, Digest artifact, Ztoc ztoc, LayerIndex index, CancellationToken cancellationToken)
    {
        var ranges = new List<SpanRangeToWarm>();
        foreach (var part in content.Prefetches.Where(part => part.LayerDigest == index.LayerDigest))
        {
            try
            {
                var list = PrefetchList.Parse(await DownloadAsync(image, part.Blob, cancellationToken), ztoc.SpanCount);
                // The import leaves out spans without output, which come before all others.
                var left = ztoc.SpanCount - index.Spans.Count;
                ranges.AddRange(list.Where(range => range.Last.Value >= left).Select(range =>
                    new SpanRangeToWarm(new SpanId(Math.Max(0, range.First.Value - left)), new SpanId(range.Last.Value - left))));
            }
            catch (Exception e) when (e is InvalidDataException or RegistryException)
            {
                ArtifactsLog.PartRefused(_logger, image, artifact, $"prefetch list {part.Blob.Digest}: {e.Message}");
            }
        }

        return ranges;
    }

    private async Task<byte[]> ReadStartAsync(ImageReference image, Descriptor layer, CancellationToken cancellationToken)
    {
        var start = new byte[Math.Min(BlobStartLength, layer.Size)];
        await using var blob = await _registry.OpenBlob(image, layer.Digest, layer.Size)
            .OpenExactRangeAsync(0, start.Length, ReadPriority.Metadata(), cancellationToken);
        await blob.ReadExactlyAsync(start, cancellationToken);
        return start;
    }

    private async Task<byte[]> DownloadAsync(ImageReference image, Descriptor part, CancellationToken cancellationToken)
    {
        await using var blob = new VerifyingStream(
            await _registry.OpenBlob(image, part.Digest, part.Size).OpenAsync(ReadPriority.Metadata(), cancellationToken), part);
        var content = new byte[part.Size];
        await blob.ReadExactlyAsync(content, cancellationToken);
        return await blob.ReadAsync(new byte[1], cancellationToken) == 0
            ? content
            : throw new InvalidDataException($"blob {part.Digest}: too long");
    }
}
