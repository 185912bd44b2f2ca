using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Sources;

// An image in an OCI image layout (image-spec image-layout.md), a directory or a tar of one, as skopeo, buildx, umoci and
// `ctr images export` write them.
public sealed class OciLayoutSource : IImageSource
{
    private const string RefNameAnnotation = "org.opencontainers.image.ref.name";

    private readonly IImageFiles _files;
    private readonly string? _tag;
    private readonly Digest? _digest;

    private OciLayoutSource(string name, IImageFiles files, string? tag, Digest? digest)
    {
        Name = name;
        _files = files;
        _tag = tag;
        _digest = digest;
    }

    public string Name { get; }

    /// <param name="tag">Which of its images, by the layout's own names; may be left out where there is one.</param>
    /// <param name="digest">Or by its digest.</param>
    public static OciLayoutSource OpenDirectory(string name, string directory, string? tag, Digest? digest) =>
        new(name, new DirectoryFiles(directory), tag, digest);

    /// <inheritdoc cref="OpenDirectory"/>
    public static OciLayoutSource OpenArchive(string name, string file, string? tag, Digest? digest) =>
        new(name, ArchiveFiles.Open(file), tag, digest);

    public async Task<IReadOnlyList<SourceImage>> FindImagesAsync(PlatformSelection platforms, CancellationToken cancellationToken)
    {
        var documents = new ImageDocuments(_files.Name, async (descriptor, lengthMax, ct) =>
            _files.Find(BlobPath(descriptor.Digest)) is { } region ? await region.ReadAsync(lengthMax, ct) : null);
        return await documents.FindAsync(await FindRootAsync(documents, cancellationToken), platforms, cancellationToken);
    }

    public IBlobReader OpenLayer(Descriptor layer)
    {
        var region = _files.Find(BlobPath(layer.Digest)) ?? throw new IOException($"{_files.Name}: layer {layer.Digest} is not here");
        return region.Length == layer.Size
            ? new FileBlob(layer.Digest, region)
            : throw new InvalidDataException($"{region.Name}: {region.Length} bytes, the layer's descriptor says {layer.Size}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<ImageIndex> FindRootAsync(ImageDocuments documents, CancellationToken cancellationToken)
    {
        var file = _files.Find("index.json") ?? throw new InvalidDataException($"{_files.Name}: no OCI image layout, it has no index.json");
        var index = OciJson.ReadUsableIndex(await file.ReadAsync(SourceLimits.ManifestBytesMax, cancellationToken), file.Name);
        if (_digest is { } digest && index.Manifests.FirstOrDefault(manifest => manifest.Digest == digest) is null)
            return await FindByDigestAsync(documents, digest, cancellationToken);

        var chosen = index.Manifests.Where(
            manifest => _digest is { } wanted ? manifest.Digest == wanted : _tag is null || RefName(manifest) == _tag).ToList();
        var names = index.Manifests.Select(RefName).OfType<string>().Distinct().ToList();
        if (index.Manifests.Count == 0)
            throw new InvalidDataException($"{file.Name}: no image here{string.Concat(index.Unusable.Take(1).Select(why => $"; {why}"))}");
        if (chosen.Count == 0)
            throw new InvalidDataException(
                $"{file.Name}: no image is called \"{_tag}\"{(names.Count == 0 ? "" : ", only " + string.Join(", ", names.Take(20)))}");
        if (_tag is null && _digest is null && names.Count > 1)
            throw new InvalidDataException($"{file.Name}: several images, say which: {string.Join(", ", names.Take(20))}");
        return chosen is [var single] ? await documents.AsIndexAsync(single, cancellationToken) : index with { Manifests = chosen };
    }

    // A manifest may lie in a layout without being listed; what it is, its bytes say.
    private async Task<ImageIndex> FindByDigestAsync(ImageDocuments documents, Digest digest, CancellationToken cancellationToken)
    {
        var region = _files.Find(BlobPath(digest)) ?? throw new InvalidDataException($"{_files.Name}: {digest} is not here");
        var content = await region.ReadAsync(SourceLimits.ManifestBytesMax, cancellationToken);
        var isIndex = OciDocumentKind.IsIndex(content, region.Name);
        var descriptor = new Descriptor { MediaType = isIndex
            ? MediaTypes.OciIndex
            : MediaTypes.OciManifest, Digest = digest, Size = content.Length };
        return await documents.AsIndexAsync(descriptor, cancellationToken);
    }

    private static string? RefName(Descriptor manifest) => manifest.Annotations?.GetValueOrDefault(RefNameAnnotation);

    private static string BlobPath(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";
}
