using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.Discovery;

/// <param name="Artifact">The artifact's manifest.</param>
/// <param name="Content">Null if it cannot be used at all.</param>
/// <param name="Problems">What of it cannot be used, and why.</param>
internal sealed record Found<T>(Descriptor Artifact, T? Content, IReadOnlyList<string> Problems)
    where T : class;

// What a registry has about one image. Each part is asked for when it is first wanted, once for all of the image's layers:
// one list of referrers, then a request per artifact worth looking into. What cannot be used is said in the log, once, and
// left out.
internal sealed class ImageArtifacts
{
    private readonly RegistryClient _registry;
    private readonly ILogger _logger;
    private readonly Remembered<ImageManifest> _manifest;
    private readonly Remembered<IReadOnlyList<Digest>> _diffIds;
    private readonly Remembered<IReadOnlyList<Descriptor>> _referrers;
    private readonly Remembered<IReadOnlyList<Found<NativeArtifact>>> _native;
    private readonly Remembered<IReadOnlyList<Found<SociIndexManifest>>> _sociV1;
    private readonly Remembered<IReadOnlyList<Found<SociIndexManifest>>> _sociV2;

    /// <param name="image">Named by the digest of its manifest.</param>
    /// <param name="known">The manifest, if it was met on the way here.</param>
    public ImageArtifacts(RegistryClient registry, ImageReference image, ImageManifest? known, DiscoveryTimes times, ILogger logger)
    {
        _registry = registry;
        _logger = logger;
        Image = image;
        _manifest = Remember(times, () => known is null ? ReadManifestAsync() : Task.FromResult(known));
        _diffIds = Remember(times, ReadDiffIdsAsync);
        _referrers = Remember(times, ListReferrersAsync);
        _native = Remember(times, FindNativeAsync);
        _sociV1 = Remember(times, FindSociV1Async);
        _sociV2 = Remember(times, FindSociV2Async);
    }

    /// <summary>Registry, repository and the manifest's digest.</summary>
    public ImageReference Image { get; }

    public Digest ManifestDigest => Image.Digest!.Value;

    public Task<ImageManifest> ManifestAsync(CancellationToken cancellationToken) => _manifest.GetAsync(cancellationToken);

    /// <summary>What the image's configuration says a layer unpacks to.</summary>
    /// <exception cref="InvalidDataException">It does not say so, or says two things.</exception>
    public async Task<Digest> DiffIdOfAsync(Digest layer, CancellationToken cancellationToken)
    {
        var layers = (await _manifest.GetAsync(cancellationToken)).Layers;
        var diffIds = await _diffIds.GetAsync(cancellationToken);
        if (layers.Count != diffIds.Count)
            throw new InvalidDataException($"image {ManifestDigest}: {layers.Count} layers, {diffIds.Count} diff IDs");
        var said = layers.Zip(diffIds).Where(pair => pair.First.Digest == layer).Select(pair => pair.Second).Distinct().ToList();
        return said.Count == 1
            ? said[0]
            : throw new InvalidDataException($"image {ManifestDigest}: {said.Count} diff IDs for layer {layer}");
    }

    /// <summary>Every manifest that refers to the image.</summary>
    public Task<IReadOnlyList<Descriptor>> ReferrersAsync(CancellationToken cancellationToken) => _referrers.GetAsync(cancellationToken);

    /// <summary>Our artifacts, in the registry's order.</summary>
    public Task<IReadOnlyList<Found<NativeArtifact>>> NativeAsync(CancellationToken cancellationToken) =>
        _native.GetAsync(cancellationToken);

    /// <summary>soci's indexes that refer to the image.</summary>
    public Task<IReadOnlyList<Found<SociIndexManifest>>> SociV1Async(CancellationToken cancellationToken) =>
        _sociV1.GetAsync(cancellationToken);

    /// <summary>soci's index that the image's manifest names; at most one.</summary>
    public Task<IReadOnlyList<Found<SociIndexManifest>>> SociV2Async(CancellationToken cancellationToken) =>
        _sociV2.GetAsync(cancellationToken);

    private static Remembered<T> Remember<T>(DiscoveryTimes times, Func<Task<T>> ask) => new(ask, times.Answer, times.Failure, times.Clock);

    // These run for everybody who waits: what ends them is the registry client's own deadline.
    private async Task<ImageManifest> ReadManifestAsync() =>
        (await _registry.ResolveAsync(Image, Platform.Current, CancellationToken.None)).Manifest;

    private async Task<IReadOnlyList<Digest>> ReadDiffIdsAsync()
    {
        var descriptor = (await _manifest.GetAsync(CancellationToken.None)).Config;
        var bytes = await _registry.GetBlobBytesAsync(Image, descriptor, CancellationToken.None);
        return OciJson.ReadConfig(bytes, $"configuration {descriptor.Digest} of {Image}").RootFs.DiffIds;
    }

    // All kinds at once: asking for one artifact type at a time would be a request each.
    private Task<IReadOnlyList<Descriptor>> ListReferrersAsync() =>
        _registry.ListReferrersAsync(Image, ManifestDigest, artifactType: null, CancellationToken.None);

    private Task<IReadOnlyList<Found<NativeArtifact>>> FindNativeAsync() =>
        ReadReferrersAsync(NativeArtifact.ArtifactType, (manifest, problems) => NativeArtifact.Parse(manifest, ManifestDigest, problems));

    private Task<IReadOnlyList<Found<SociIndexManifest>>> FindSociV1Async() =>
        ReadReferrersAsync(
            SociNames.IndexV1, (manifest, problems) => SociIndexManifest.Parse(manifest, SociNames.IndexV1, ManifestDigest, problems));

    private async Task<IReadOnlyList<Found<SociIndexManifest>>> FindSociV2Async()
    {
        var manifest = await _manifest.GetAsync(CancellationToken.None);
        if (manifest.Annotations?.GetValueOrDefault(SociNames.IndexDigestAnnotation) is not { } text)
            return [];
        if (!Digest.TryParse(text, out var digest))
        {
            ArtifactsLog.PartRefused(
                _logger, Image, ManifestDigest, $"annotation {SociNames.IndexDigestAnnotation} is \"{text}\", not a digest");
            return [];
        }

        // Its size is known to nobody: the manifest's annotation has the digest alone.
        return [await TryReadAsync(new Descriptor { MediaType = MediaTypes.OciManifest, Digest = digest, Size = 0 }, async problems =>
        {
            var document = await _registry.GetManifestAsync(Image with { Digest = digest }, CancellationToken.None);
            var content = OciJson.ReadManifest(document.Content, "its manifest");
            return (document.Descriptor, SociIndexManifest.Parse(content, SociNames.IndexV2, ManifestDigest, problems));
        })];
    }

    private async Task<IReadOnlyList<Found<T>>> ReadReferrersAsync<T>(
        string artifactType, Func<ImageManifest, ICollection<string>, T> parse)
        where T : class
    {
        var artifacts = (await _referrers.GetAsync(CancellationToken.None))
            .Where(referrer => referrer.ArtifactType == artifactType).ToList();
        if (artifacts.Count > ArtifactLimits.ArtifactsPerKindMax)
            ArtifactsLog.ArtifactsIgnored(_logger, Image, artifacts.Count - ArtifactLimits.ArtifactsPerKindMax, artifactType);

        return await Task.WhenAll(
            artifacts.Take(ArtifactLimits.ArtifactsPerKindMax).Select(artifact => TryReadAsync(artifact, async problems =>
        {
            var bytes = await _registry.GetManifestAsync(Image, artifact, CancellationToken.None);
            return (artifact, parse(OciJson.ReadManifest(bytes, "its manifest"), problems));
        })));
    }

    // An artifact that is not there, or is not what it should be, is as good as none. A registry that cannot answer now is
    // another matter: that is not remembered as an answer.
    private async Task<Found<T>> TryReadAsync<T>(
        Descriptor artifact, Func<ICollection<string>, Task<(Descriptor Artifact, T Content)>> read)
        where T : class
    {
        var problems = new List<string>();
        T? content = null;
        try
        {
            (artifact, content) = await read(problems);
        }
        catch (Exception e) when (e is InvalidDataException or RegistryException { IsTransient: false })
        {
            problems.Add(e.Message);
        }

        foreach (var problem in problems)
            ArtifactsLog.PartRefused(_logger, Image, artifact.Digest, problem);
        return new Found<T>(artifact, content, problems);
    }
}
