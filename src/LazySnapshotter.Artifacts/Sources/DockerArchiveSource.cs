using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

// An image in an archive of `docker save` (also podman's and skopeo's docker-archive): manifest.json names configuration
// and layers by their entries in the archive. Layers mostly lie there as uncompressed tars, whatever they were in their
// registry: then a layer's digest is its diff ID. The archives of docker since 25 are OCI layouts as well, and their
// layers lie as they were pulled, under their digests.
public sealed class DockerArchiveSource : IImageSource
{
    private const string ManifestName = "manifest.json";

    private readonly IImageFiles _files;
    private readonly string? _reference;
    private readonly Dictionary<Digest, FileRegion> _layers = [];
    private readonly Lock _gate = new();

    private DockerArchiveSource(string name, IImageFiles files, string? reference)
    {
        Name = name;
        _files = files;
        _reference = reference;
    }

    public string Name { get; }

    /// <param name="reference">Which of its images; may be left out where there is one.</param>
    public static DockerArchiveSource Open(string name, string file, string? reference) => new(name, ArchiveFiles.Open(file), reference);

    public async Task<IReadOnlyList<SourceImage>> FindImagesAsync(PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var item = await ChooseAsync(cancellationToken);
        var (configFile, configBytes) = await ReadConfigAsync(item, cancellationToken);
        var config = OciJson.ReadConfig(configBytes, configFile);
        var platform = new Platform { Os = config.Os, Architecture = config.Architecture };
        if (platforms.IsExplicit && !platforms.Platforms.Any(wanted => wanted.Runs(platform)))
            throw new InvalidDataException($"{_files.Name}: nothing for {string.Join(", ", platforms.Platforms)}, only for {platform}");
        if (item.Layers.Count != config.RootFs.DiffIds.Count || item.Layers.Count > SourceLimits.LayerCountMax)
            throw new InvalidDataException(
                $"{_files.Name}: {ManifestName} lists {item.Layers.Count} layers, the configuration {config.RootFs.DiffIds.Count}");

        var layers = new List<Descriptor>();
        for (var i = 0; i < item.Layers.Count; i++)
            layers.Add(await DescribeAsync(item.Layers[i], config.RootFs.DiffIds[i], cancellationToken));
        return [new SourceImage { Platform = platform, Manifest = null, Config = config, Layers = layers }];
    }

    public IBlobReader OpenLayer(Descriptor layer)
    {
        lock (_gate)
            return new FileBlob(layer.Digest, _layers[layer.Digest]);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<ArchiveImage> ChooseAsync(CancellationToken cancellationToken)
    {
        var file = _files.Find(ManifestName)
            ?? throw new InvalidDataException($"{_files.Name}: no archive of docker save, it has no {ManifestName}");
        List<ArchiveImage?> images;
        try
        {
            images = JsonSerializer.Deserialize(
                await file.ReadAsync(SourceLimits.ManifestBytesMax, cancellationToken), ArchiveJsonContext.Default.ListArchiveImage)
                ?? throw new InvalidDataException($"{file.Name}: the document is null");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{file.Name}: {exception.Message}", exception);
        }

        var names = images.SelectMany(image => image?.RepoTags ?? []).ToList();
        if (_reference is null)
        {
            return images is [{ } single] ? single : throw new InvalidDataException(
                $"{file.Name}: {(images.Count == 0 ? "no image" : "several images, say which: " + string.Join(", ", names.Take(20)))}");
        }

        var wanted = ImageReference.Parse(_reference).ToString();
        return images.FirstOrDefault(
            image => image?.RepoTags?.Any(tag => ImageReference.TryParse(tag, out var named) && named.ToString() == wanted) == true)
            ?? throw new InvalidDataException(
                $"{file.Name}: no image is called \"{_reference}\", only {string.Join(", ", names.Take(20))}");
    }

    private async Task<(string Name, byte[] Content)> ReadConfigAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        var file = _files.Find(image.Config)
            ?? throw new InvalidDataException($"{_files.Name}: entry \"{image.Config}\", the configuration, is not in the archive");
        var content = await file.ReadAsync(SourceLimits.ConfigBytesMax, cancellationToken);

        // Named by its digest, wherever it lies; what is named otherwise cannot be compared.
        var name = Path.GetFileNameWithoutExtension(image.Config);
        if (Digest.TryParse($"{Digest.Sha256Algorithm}:{name}", out var digest) && !digest.IsDigestOf(content))
            throw new InvalidDataException($"{file.Name}: its {content.Length} bytes have digest {Digest.OfSha256(content)}");
        return (file.Name, content);
    }

    private async Task<Descriptor> DescribeAsync(string entry, Digest diffId, CancellationToken cancellationToken)
    {
        var region = _files.Find(entry)
            ?? throw new InvalidDataException($"{_files.Name}: entry \"{entry}\", a layer, is not in the archive");
        var start = new byte[Math.Min(region.Length, 8)];
        await using (var stream = region.Open(0, start.Length))
            await stream.ReadExactlyAsync(start, cancellationToken);

        var compression = LayerBytes.CompressionOf(start);
        var digest = compression is null ? diffId
            : Digest.TryParse($"{Digest.Sha256Algorithm}:{Path.GetFileName(entry)}", out var named) ? named
            : await HashAsync(region, cancellationToken);
        lock (_gate)
            _layers[digest] = region;
        return new Descriptor
        {
            MediaType = compression switch { null =>
                MediaTypes.DockerLayer, "zstd" => MediaTypes.DockerLayerZstd, _ => MediaTypes.DockerLayerGzip },
            Digest = digest,
            Size = region.Length,
        };
    }

    private static async Task<Digest> HashAsync(FileRegion region, CancellationToken cancellationToken)
    {
        await using var stream = region.Open(0, region.Length);
        return Digest.FromSha256(await SHA256.HashDataAsync(stream, cancellationToken));
    }

    internal sealed record ArchiveImage
    {
        [JsonPropertyName("Config")]
        public required string Config { get; init; }

        [JsonPropertyName("RepoTags")]
        public IReadOnlyList<string>? RepoTags { get; init; }

        [JsonPropertyName("Layers")]
        public required IReadOnlyList<string> Layers { get; init; }
    }
}

[JsonSourceGenerationOptions(RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<DockerArchiveSource.ArchiveImage>))]
internal sealed partial class ArchiveJsonContext : JsonSerializerContext;
