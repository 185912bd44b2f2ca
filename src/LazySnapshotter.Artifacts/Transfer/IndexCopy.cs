using LazySnapshotter.Artifacts.Discovery;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Artifacts.Transfer;

// Copies an image's index artifacts as they are to another repository that has the same image. Blobs are mounted where
// both repositories are of one registry; what is there already is not sent.
public sealed class IndexCopy(RegistryClient registry, ILoggerFactory loggers)
{
    /// <param name="manifest">The image's, in both.</param>
    /// <param name="format">Null for both.</param>
    /// <returns>What was copied.</returns>
    /// <exception cref="InvalidDataException">The destination does not have the image, or an artifact is malformed.</exception>
    /// <exception cref="RegistryException">One of the registries does not do its part.</exception>
    public async Task<IReadOnlyList<Descriptor>> RunAsync(
        ImageReference source, ImageReference destination, Digest manifest, IndexFormat? format, CancellationToken cancellationToken)
    {
        if (await registry.FindManifestAsync(destination with { Tag = null, Digest = manifest }, cancellationToken) is null)
        {
            throw new InvalidDataException(
                $"{destination.Registry}/{destination.Repository} does not have the image manifest {manifest}; an index belongs to " +
                    $"exactly that one");
        }

        var copied = new List<Descriptor>();
        foreach (var artifact in await registry.ListReferrersAsync(source, manifest, artifactType: null, cancellationToken))
        {
            if (!IndexRemoval.IsOf(artifact, format))
                continue;
            var content = await CopyBlobsAsync(source, destination, artifact, cancellationToken);
            copied.Add(await registry.PushReferrerAsync(destination, artifact.MediaType, content, cancellationToken));
        }

        if (format is null or IndexFormat.Soci && await FindSociV2Async(source, manifest, cancellationToken) is { } named)
        {
            var content = await CopyBlobsAsync(source, destination, named, cancellationToken);
            var pushed = await registry.PutManifestAsync(destination, tag: null, named.MediaType, content, cancellationToken);
            copied.Add(pushed.Descriptor with { ArtifactType = SociNames.IndexV2 });
        }

        return copied;
    }

    private async Task<Descriptor?> FindSociV2Async(ImageReference source, Digest manifest, CancellationToken cancellationToken)
    {
        var image = await new IndexDiscovery(registry, loggers).OfAsync(new LayerOrigin(source, manifest), cancellationToken);
        return (await image.SociV2Async(cancellationToken)).FirstOrDefault(found => found.Content is not null)?.Artifact;
    }

    // What its manifest is, to the byte; its blobs are at the destination then.
    private async Task<byte[]> CopyBlobsAsync(
        ImageReference source, ImageReference destination, Descriptor artifact, CancellationToken cancellationToken)
    {
        var content = await registry.GetManifestAsync(source, artifact, cancellationToken);
        var blobs = OciJson.ReadManifest(content, $"artifact {artifact.Digest}").Layers
            .Select(part => BlobContent.OfRemote(registry.OpenBlob(source, part.Digest, part.Size))).ToList();
        var mountFrom = source.Registry == destination.Registry ? source : null;
        await ArtifactPush.PutBlobsAsync(registry, destination, blobs, mountFrom, pushed: null, cancellationToken);
        return content;
    }
}
