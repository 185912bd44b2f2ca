using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;

namespace LazySnapshotter.Artifacts.Sources;

// From an image index to the images of the platforms asked for: the same for every source that keeps OCI documents.
// Each document is compared with its descriptor before anything in it is believed.
public sealed class ImageDocuments
{
    private readonly string _what;
    private readonly Reader _read;

    /// <param name="what">Names the source in messages.</param>
    /// <param name="read">Gets a manifest, index or configuration; at most so many bytes. Null where the source does not have it.</param>
    public ImageDocuments(string what, Reader read)
    {
        _what = what;
        _read = read;
    }

    public delegate Task<byte[]?> Reader(Descriptor descriptor, int lengthMax, CancellationToken cancellationToken);

    /// <summary>What a reference stands for, as an index: itself, or one that lists the manifest alone.</summary>
    public async Task<ImageIndex> AsIndexAsync(Descriptor root, CancellationToken cancellationToken) => MediaTypes.IsIndex(root.MediaType)
        ? OciJson.ReadUsableIndex(await ReadAsync(root, SourceLimits.ManifestBytesMax, cancellationToken)
            ?? throw Absent("index", root), $"{_what}: index {root.Digest}")
        : new ImageIndex { Manifests = [root] };

    public async Task<IReadOnlyList<SourceImage>> FindAsync(
        ImageIndex index, PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var images = new List<SourceImage>();
        if (platforms.IsAll)
        {
            await CollectAsync(index, depth: 1, images, cancellationToken);
            if (images.Count == 0)
                throw new InvalidDataException($"{_what}: no image here");
        }

        foreach (var platform in platforms.Platforms)
        {
            var descriptor = await ChooseAsync(index, platform, cancellationToken);
            var image = await LoadAsync(descriptor, isOptional: false, cancellationToken);
            if (platforms.IsExplicit && !platform.Runs(image!.Platform))
                throw new InvalidDataException($"{_what}: nothing for {platform}, only for {image.Platform}");
            images.Add(image!);
        }

        return [.. images.DistinctBy(image => image.Manifest!.Digest)];
    }

    private async Task<Descriptor> ChooseAsync(ImageIndex index, Platform platform, CancellationToken cancellationToken)
    {
        for (var depth = 1; ; depth++)
        {
            var choice = PlatformChoice.Of(index with { Manifests = [.. index.Manifests.Where(IsImage)] }, platform, _what);
            if (!MediaTypes.IsIndex(choice.MediaType))
                return choice;
            CheckDepth(depth);
            index = await AsIndexAsync(choice, cancellationToken);
        }
    }

    // Attestations, signatures and other artifacts lie in the same indexes; a manifest that is not here is another platform's.
    private async Task CollectAsync(ImageIndex index, int depth, List<SourceImage> images, CancellationToken cancellationToken)
    {
        foreach (var descriptor in index.Manifests.Where(IsImage))
        {
            if (MediaTypes.IsIndex(descriptor.MediaType))
            {
                CheckDepth(depth);
                await CollectAsync(await AsIndexAsync(descriptor, cancellationToken), depth + 1, images, cancellationToken);
            }
            else if (await LoadAsync(descriptor, isOptional: true, cancellationToken) is { } image)
            {
                if (images.Count == SourceLimits.ManifestCountMax)
                    throw new InvalidDataException($"{_what}: more than {SourceLimits.ManifestCountMax} images");
                images.Add(image);
            }
        }
    }

    private async Task<SourceImage?> LoadAsync(Descriptor descriptor, bool isOptional, CancellationToken cancellationToken)
    {
        var content = await ReadAsync(descriptor, SourceLimits.ManifestBytesMax, cancellationToken);
        if (content is null)
            return isOptional ? null : throw Absent("manifest", descriptor);

        var manifest = OciJson.ReadManifest(content, $"{_what}: manifest {descriptor.Digest}");
        if (ArtifactKind.WhyNoImage(manifest) is { } kind)
            return isOptional
                ? null
                : throw new InvalidDataException($"{_what}: manifest {descriptor.Digest} is no container image, but {kind}");
        if (manifest.Layers.Count > SourceLimits.LayerCountMax)
            throw new InvalidDataException(
                $"{_what}: manifest {descriptor.Digest} has {manifest.Layers.Count} layers, more than {SourceLimits.LayerCountMax}");

        var configContent = await ReadAsync(manifest.Config, SourceLimits.ConfigBytesMax, cancellationToken)
            ?? throw Absent("configuration", manifest.Config);
        var config = OciJson.ReadConfig(configContent, $"{_what}: configuration {manifest.Config.Digest}");
        return new SourceImage
        {
            Platform = descriptor.Platform ?? new Platform { Os = config.Os, Architecture = config.Architecture },
            Manifest = descriptor,
            Config = config,
            Layers = manifest.Layers,
        };
    }

    private async Task<byte[]?> ReadAsync(Descriptor descriptor, int lengthMax, CancellationToken cancellationToken)
    {
        if (descriptor.Size > lengthMax)
            throw new InvalidDataException($"{_what}: {descriptor.Digest} is a document of {descriptor.Size} bytes, more than {lengthMax}");
        var content = await _read(descriptor, lengthMax, cancellationToken);
        if (content is not null && (content.Length != descriptor.Size || !descriptor.Digest.IsDigestOf(content)))
            throw new InvalidDataException($"{_what}: {descriptor.Digest} of {descriptor.Size} bytes: the {content.Length} bytes here " +
                $"have digest {Digest.OfSha256(content)}");
        return content;
    }

    private static bool IsImage(Descriptor descriptor) =>
        (MediaTypes.IsManifest(descriptor.MediaType) || MediaTypes.IsIndex(descriptor.MediaType))
        && (descriptor.ArtifactType is null || descriptor.Platform is not null)
        && descriptor.Platform is not { Os: "unknown", Architecture: "unknown" };

    private void CheckDepth(int depth)
    {
        if (depth == SourceLimits.IndexDepthMax)
            throw new InvalidDataException($"{_what}: more than {SourceLimits.IndexDepthMax} indexes inside each other");
    }

    private InvalidDataException Absent(string kind, Descriptor descriptor) => new($"{_what}: the {kind} {descriptor.Digest} is not here");
}
