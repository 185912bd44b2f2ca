using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Containerd.Pull;

// An image as a registry described it, checked to be one that containers can be made of: known media types, a diff ID for
// every layer, the right platform.
internal sealed class PullImage
{
    // Far more than an overlay mount can stack (some 500), far fewer than a manifest of 4 MiB could list.
    private const int LayersMax = 1000;

    private PullImage(ResolvedManifest resolved, ImageDocument config, IReadOnlyList<Digest> diffIds)
    {
        Resolved = resolved;
        Config = config;
        DiffIds = diffIds;
        ChainIds = ChainId.ForEachLayer(diffIds);
    }

    /// <summary>The image's name in containerd: what a person says to <c>ctr run</c>, completed.</summary>
    public string Name => Resolved.Reference.ToString();

    public ResolvedManifest Resolved { get; }

    public ImageDocument Config { get; }

    public Digest ManifestDigest => Resolved.ManifestDocument.Descriptor.Digest;

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<Descriptor> Layers => Resolved.Manifest.Layers;

    public IReadOnlyList<Digest> DiffIds { get; }

    public IReadOnlyList<Digest> ChainIds { get; }

    /// <summary>Bytes of all its documents.</summary>
    public long DocumentBytes => Resolved.Documents.Append(Config).Sum(document => document.Content.LongLength);

    /// <param name="platform">Null: this machine's, if the reference has images for several.</param>
    /// <exception cref="PullException">It is not an image that can be pulled for this platform.</exception>
    /// <exception cref="RegistryException">The registry does not give it.</exception>
    /// <exception cref="InvalidDataException">A document is malformed.</exception>
    public static async Task<PullImage> ResolveAsync(
        RegistryClient registry, ImageReference reference, Platform? platform, CancellationToken cancellationToken)
    {
        var resolved = await registry.ResolveAsync(reference, platform ?? Platform.Current, cancellationToken);
        CheckManifest(reference, resolved.Manifest);

        var descriptor = resolved.Manifest.Config;
        var bytes = await registry.GetBlobBytesAsync(reference, descriptor, cancellationToken);
        var config = OciJson.ReadConfig(bytes, $"configuration {descriptor.Digest} of {reference}");
        CheckConfig(resolved, config, platform);
        return new PullImage(resolved, new ImageDocument(descriptor, bytes), config.RootFs.DiffIds);
    }

    private static void CheckManifest(ImageReference reference, ImageManifest manifest)
    {
        if (manifest.Config.Size == 0)
            throw new PullException($"{reference}, configuration {manifest.Config.Digest}: its descriptor says 0 bytes");
        if (manifest.Layers.Count > LayersMax)
            throw new PullException($"{reference} has {manifest.Layers.Count} layers, more than {LayersMax}");
        foreach (var layer in manifest.Layers)
        {
            if (LayerMediaTypes.WhyNot(layer.MediaType) is { } why)
                throw new PullException($"{reference}, layer {layer.Digest}: {why}");
            if (layer.Size == 0)
                throw new PullException($"{reference}, layer {layer.Digest}: its descriptor says {layer.Size} bytes");
        }
    }

    private static void CheckConfig(ResolvedManifest resolved, ImageConfig config, Platform? platform)
    {
        if (config.RootFs.DiffIds.Count != resolved.Manifest.Layers.Count)
        {
            throw new PullException(
                $"{resolved.Reference}: manifest {resolved.ManifestDocument.Descriptor.Digest} has {resolved.Manifest.Layers.Count} " +
                    $"layers, "
                + $"configuration {resolved.Manifest.Config.Digest} has {config.RootFs.DiffIds.Count} diff IDs"
                + (resolved.Manifest.Config.MediaType is MediaTypes.OciConfig or MediaTypes.DockerConfig
                    ? "" : $"; perhaps it is no container image, but {ArtifactKind.Describe(resolved.Manifest)}"));
        }

        // Chosen from an index by its entry, an image is for the platform the entry names. Standing alone it is the only one there is.
        var imagePlatform = new Platform { Os = config.Os, Architecture = config.Architecture.Length > 0
            ? config.Architecture
            : Platform.Current.Architecture };
        var isChosenUnseen = resolved.ChosenFor is null && resolved.Documents.Count > 1;
        if ((platform is not null || isChosenUnseen) && !(platform ?? Platform.Current).Runs(resolved.ChosenFor ?? imagePlatform))
            throw new PullException($"{resolved.Reference} is for {imagePlatform.Normalized()}, wanted is {platform ?? Platform.Current}");
    }
}
