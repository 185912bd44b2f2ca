using System.Collections.Concurrent;
using System.Text;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Layouts;

// soci's indexes in an OCI image layout (image-spec image-layout.md): zTOCs and index manifests as blobs, the manifests
// listed in index.json, so that skopeo, oras and `lazysnap index push` can bring them to a registry. A layout that is
// there is added to. Adding zTOCs is safe for concurrent use; index manifests are added one at a time, by one process.
public sealed class SociIndexLayout
{
    private const int IndexLengthMax = 4 << 20;

    private readonly string _directory;
    private readonly ConcurrentDictionary<Digest, SociZtoc> _ztocs = new();

    private SociIndexLayout(string directory) => _directory = directory;

    /// <summary>Opens a layout, making it where there is none.</summary>
    /// <exception cref="InvalidDataException">The directory is something else.</exception>
    public static SociIndexLayout Open(string directory)
    {
        Directory.CreateDirectory(Path.Combine(directory, "blobs", Digest.Sha256Algorithm));
        var layout = new SociIndexLayout(directory);
        var marker = Path.Combine(directory, "oci-layout");
        if (!File.Exists(marker))
            File.WriteAllText(marker, """{"imageLayoutVersion":"1.0.0"}""");
        _ = layout.ReadIndex();
        return layout;
    }

    /// <summary>Takes over a zTOC from a file; returns where it is now.</summary>
    public async Task<string> AddZtocAsync(
        Descriptor layer, Descriptor ztoc, long spanLength, bool disableXattrs, string file, CancellationToken cancellationToken)
    {
        await using var content = File.OpenRead(file);
        var path = await AddBlobAsync(ztoc.Digest, content, cancellationToken);
        _ztocs[layer.Digest] = new SociZtoc { Blob = ztoc, LayerDigest = layer.Digest, LayerMediaType = layer.MediaType,
            SpanSize = spanLength, DisableXattrs = disableXattrs };
        return path;
    }

    /// <summary>Writes the index manifest (version 1) of an image whose zTOCs were added, and lists it.</summary>
    /// <returns>Null if no layer of the image has a zTOC.</returns>
    public async Task<Descriptor?> AddIndexAsync(
        Descriptor image, Platform platform, IReadOnlyList<Descriptor> layers, string buildTool, CancellationToken cancellationToken)
    {
        var ztocs = layers.Select(layer => _ztocs.GetValueOrDefault(layer.Digest)).OfType<SociZtoc>().ToList();
        if (ztocs.Count == 0)
            return null;

        var content = new SociIndexManifest { Subject = image, BuildTool = buildTool, Ztocs = ztocs }.ToBytes();
        var descriptor = new Descriptor
        {
            MediaType = MediaTypes.OciManifest,
            Digest = Digest.OfSha256(content),
            Size = content.Length,
            ArtifactType = SociNames.IndexV1,
            Platform = platform,
        };
        await AddBlobAsync(descriptor.Digest, new MemoryStream(content), cancellationToken);
        await AddBlobAsync(Descriptor.EmptyJson.Digest, new MemoryStream(Encoding.ASCII.GetBytes("{}")), cancellationToken);
        var index = ReadIndex();
        var manifests = index.Manifests.Where(other => other.Digest != descriptor.Digest).Append(descriptor).ToList();
        await ReplaceAsync(IndexPath, new MemoryStream(OciJson.WriteIndex(index with { Manifests = manifests })), cancellationToken);
        return descriptor;
    }

    private string IndexPath => Path.Combine(_directory, "index.json");

    private ImageIndex ReadIndex()
    {
        var file = new FileInfo(IndexPath);
        if (!file.Exists)
            return new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = [] };
        if (file.Length > IndexLengthMax)
            throw new InvalidDataException($"{IndexPath}: {file.Length} bytes, more than {IndexLengthMax}");
        return OciJson.ReadIndex(File.ReadAllBytes(IndexPath), IndexPath);
    }

    private async Task<string> AddBlobAsync(Digest digest, Stream content, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_directory, "blobs", digest.Algorithm, digest.Hex);
        if (!File.Exists(path))
            await ReplaceAsync(path, content, cancellationToken);
        return path;
    }

    // Complete or not at all, by rename.
    private static async Task ReplaceAsync(string path, Stream content, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
                await content.CopyToAsync(file, cancellationToken);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
