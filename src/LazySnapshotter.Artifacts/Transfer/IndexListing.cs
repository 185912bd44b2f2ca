using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.Transfer;

/// <param name="FrontLength">Bytes of it that a mount needs; null where it has to be read as a whole.</param>
public sealed record ListedPart(Digest Layer, Descriptor Part, long? FrontLength);

/// <param name="Kind">As a source is named: native, soci-v1, soci-v2.</param>
/// <param name="Problems">What of it cannot be used here, and why.</param>
public sealed record ListedIndex(string Kind, Descriptor Artifact, IReadOnlyList<ListedPart> Parts, IReadOnlyList<string> Problems);

// What a registry has for an image: the same questions that discovery asks, with all of their answers.
public sealed class IndexListing(RegistryClient registry, ILoggerFactory loggers)
{
    private readonly IndexDiscovery _discovery = new(registry, loggers);

    /// <param name="manifest">The image's.</param>
    /// <returns>In the order in which a layer takes them.</returns>
    /// <exception cref="RegistryException">The registry does not say.</exception>
    public async Task<IReadOnlyList<ListedIndex>> RunAsync(ImageReference repository, Digest manifest, CancellationToken cancellationToken)
    {
        var image = await _discovery.OfAsync(new LayerOrigin(repository, manifest), cancellationToken);
        return
        [
            .. (await image.NativeAsync(cancellationToken)).Select(found => Listed(
                NativeIndexSource.SourceName, found, content =>
                    content.Layers.Select(part => new ListedPart(part.LayerDigest, part.Index, part.FrontLength)))),
            .. (await image.SociV2Async(cancellationToken)).Select(found => Listed(SociIndexSource.NameOf(2), found, PartsOf)),
            .. (await image.SociV1Async(cancellationToken)).Select(found => Listed(SociIndexSource.NameOf(1), found, PartsOf)),
        ];
    }

    private static ListedIndex Listed<T>(string kind, Found<T> found, Func<T, IEnumerable<ListedPart>> parts)
        where T : class =>
        new(kind, found.Artifact, found.Content is null ? [] : [.. parts(found.Content)], found.Problems);

    private static IEnumerable<ListedPart> PartsOf(SociIndexManifest index) =>
        index.Ztocs.Select(ztoc => new ListedPart(ztoc.LayerDigest, ztoc.Blob, FrontLength: null));
}
