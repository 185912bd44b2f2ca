using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Artifacts.Layouts;

/// <param name="Parts">The artifact's blobs with the layers they are for, and the files they lie in.</param>
internal sealed record LayoutArtifact(
    Descriptor Artifact, byte[] Manifest, IReadOnlyList<(Digest Layer, Descriptor Part, string Path)> Parts);

// The index artifacts in an OCI image layout (what `index build --format soci` and other tools write) that belong to an
// image. Documents are compared with their digests; blobs are when they are pushed.
internal sealed class LayoutArtifacts(string directory)
{
    private const int DocumentLengthMax = 4 << 20;

    /// <param name="image">The image's manifest.</param>
    /// <exception cref="InvalidDataException">Not a layout, or an artifact in it is malformed.</exception>
    public async Task<IReadOnlyList<LayoutArtifact>> FindAsync(string artifactType, Digest image, CancellationToken cancellationToken)
    {
        var indexFile = Path.Combine(directory, "index.json");
        if (!File.Exists(indexFile))
            throw new InvalidDataException($"{directory}: no OCI image layout, it has no index.json");

        var found = new List<LayoutArtifact>();
        foreach (var descriptor in OciJson.ReadIndex(await ReadAsync(indexFile, cancellationToken), indexFile).Manifests)
        {
            if (descriptor.ArtifactType != artifactType || !MediaTypes.IsManifest(descriptor.MediaType))
                continue;
            var file = PathOf(descriptor.Digest);
            var content = await ReadAsync(file, cancellationToken);
            if (!descriptor.Digest.IsDigestOf(content))
                throw new InvalidDataException($"{file}: its digest is {Digest.OfSha256(content)}");
            var manifest = OciJson.ReadManifest(content, file);
            if (manifest.Subject?.Digest == image)
                found.Add(new LayoutArtifact(descriptor, content, PartsOf(manifest, artifactType, image, file)));
        }

        return found;
    }

    private List<(Digest Layer, Descriptor Part, string Path)> PartsOf(
        ImageManifest manifest, string artifactType, Digest image, string file)
    {
        var problems = new List<string>();
        IEnumerable<(Digest Layer, Descriptor Part)> layers;
        if (artifactType == NativeArtifact.ArtifactType)
        {
            layers = NativeArtifact.Parse(manifest, image, problems).Layers.Select(part => (part.LayerDigest, part.Index));
        }
        else
        {
            var index = SociIndexManifest.Parse(manifest, artifactType, image, problems);
            layers = [.. index.Ztocs.Select(
                part => (part.LayerDigest, part.Blob)), .. index.Prefetches.Select(part => (part.LayerDigest, part.Blob))];
        }

        var parts = layers.Select(part => (part.Layer, part.Part, PathOf(part.Part.Digest))).ToList();
        return problems.Count == 0 ? parts : throw new InvalidDataException($"{file}: {string.Join("; ", problems)}");
    }

    private string PathOf(Digest digest) => Path.Combine(directory, "blobs", digest.Algorithm, digest.Hex);

    private static async Task<byte[]> ReadAsync(string file, CancellationToken cancellationToken)
    {
        var info = new FileInfo(file);
        if (!info.Exists)
            throw new InvalidDataException($"{file}: not there, although the layout lists it");
        if (info.Length > DocumentLengthMax)
            throw new InvalidDataException($"{file}: {info.Length} bytes, more than {DocumentLengthMax}");
        return await File.ReadAllBytesAsync(file, cancellationToken);
    }
}
