using LazySnapshotter.Oci;

namespace LazySnapshotter.Daemon.Pull;

// An image as a registry described it, checked to be one that containers can be made of: known media types, a diff ID for
// every layer, the right platform.
internal sealed class PullImage
{
    // A config lists history and labels besides the diff IDs; the largest in the wild have some 10 KiB a layer. Overlay
    // mounts end at 500 layers, containerd at what fits its messages.
    public const int LayersMax = 1000;

    private PullImage(ImageReference reference, PullDocument? index, PullDocument manifest, PullDocument config,
        IReadOnlyList<Descriptor> layers, IReadOnlyList<Digest> diffIds)
    {
        Reference = reference;
        Index = index;
        Manifest = manifest;
        Config = config;
        Layers = layers;
        DiffIds = diffIds;
        ChainIds = ChainId.ForEachLayer(diffIds);
    }

    public ImageReference Reference { get; }

    /// <summary>The image's name in containerd: what a person says to <c>ctr run</c>, completed.</summary>
    public string Name => Reference.ToString();

    public PullDocument? Index { get; }

    public PullDocument Manifest { get; }

    public PullDocument Config { get; }

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<Descriptor> Layers { get; }

    public IReadOnlyList<Digest> DiffIds { get; }

    public IReadOnlyList<Digest> ChainIds { get; }

    /// <summary>What the image's name will stand for.</summary>
    public Descriptor Target => (Index ?? Manifest).Descriptor;

    /// <summary>Reads a manifest as far as it must be before its configuration is asked for.</summary>
    /// <exception cref="PullException">It is not the manifest of a container image.</exception>
    public static ImageManifest ReadManifest(ImageReference reference, PullDocument document)
    {
        var manifest = OciJson.ReadManifest(document.Content, $"manifest {document.Digest} of {reference}");
        if (manifest.Config.MediaType is not (MediaTypes.OciConfig or MediaTypes.DockerConfig))
            throw new PullException($"{reference} is not a container image: its configuration has media type {manifest.Config.MediaType}");
        if (manifest.Layers.Count > LayersMax)
            throw new PullException($"{reference} has {manifest.Layers.Count} layers, more than {LayersMax}");
        foreach (var layer in manifest.Layers)
        {
            if (LayerMediaTypes.WhyNot(layer.MediaType) is { } why)
                throw new PullException($"{reference}, layer {layer.Digest}: {why}");
            if (layer.Size <= 0)
                throw new PullException($"{reference}, layer {layer.Digest}: its descriptor says {layer.Size} bytes");
        }

        return manifest;
    }

    /// <exception cref="PullException">Manifest and configuration do not make an image for this platform.</exception>
    public static PullImage Read(
        ImageReference reference, Platform platform, PullDocument? index, PullDocument manifestDocument, PullDocument configDocument)
    {
        var manifest = ReadManifest(reference, manifestDocument);
        var config = OciJson.ReadConfig(configDocument.Content, $"configuration {configDocument.Digest} of {reference}");

        // A configuration without a platform is taken for the host's, as containerd does.
        var imagePlatform = new Platform { Os = config.Os, Architecture = config.Architecture };
        if (config.Os.Length > 0 && config.Architecture.Length > 0 && !platform.Runs(imagePlatform))
            throw new PullException($"{reference} is for {imagePlatform}, wanted is {platform}");
        if (config.RootFs.DiffIds.Count != manifest.Layers.Count)
        {
            throw new PullException(
                $"{reference}: manifest {manifestDocument.Digest} has {manifest.Layers.Count} layers, "
                + $"configuration {configDocument.Digest} has {config.RootFs.DiffIds.Count} diff IDs");
        }

        return new PullImage(reference, index, manifestDocument, configDocument, manifest.Layers, config.RootFs.DiffIds);
    }
}
