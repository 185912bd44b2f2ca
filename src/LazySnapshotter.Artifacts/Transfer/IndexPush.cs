using System.Collections.Concurrent;
using System.Security.Cryptography;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Layers.Index;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry;

namespace LazySnapshotter.Artifacts.Transfer;

// Publishes what this node has: one artifact per image manifest with the indexes of all of its layers. Nothing is built here,
// and the image is not touched. Pushing the same indexes again changes nothing.
public sealed class IndexPush(RegistryClient registry, LayerIndexStore indexes, ZtocStore ztocs)
{
    /// <param name="subject">The image's manifest, which is in the repository.</param>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public Task<IndexPushResult> RunAsync(
        ImageReference repository, Descriptor subject, IReadOnlyList<Descriptor> layers, IndexFormat format, CancellationToken cancellationToken) =>
        format == IndexFormat.Native
            ? PushNativeAsync(repository, subject, layers, cancellationToken)
            : PushSociAsync(repository, subject, layers, cancellationToken);

    private async Task<IndexPushResult> PushNativeAsync(
        ImageReference repository, Descriptor subject, IReadOnlyList<Descriptor> layers, CancellationToken cancellationToken)
    {
        var parts = new List<NativeArtifactLayer>();
        var missing = new List<MissingIndex>();
        foreach (var layer in layers.DistinctBy(layer => layer.Digest))
        {
            if (WhyNeverIndexed(layer) is { } why)
                missing.Add(why);
            else if (indexes.TryOpen(layer.Digest, out var damage) is not { } index)
                missing.Add(new MissingIndex(layer, damage ?? "no index on this node", IsLazy: true));
            else
            {
                using (index)
                    parts.Add(await DescribeAsync(layer, index, cancellationToken));
            }
        }

        var artifact = new NativeArtifact { Subject = subject, Layers = parts };
        var blobs = parts.Select(part => (part.LayerDigest, part.Index, indexes.PathOf(part.LayerDigest))).ToList();
        return await PushAsync(repository, artifact.ToBytes(), blobs, missing, cancellationToken);
    }

    private async Task<NativeArtifactLayer> DescribeAsync(Descriptor layer, LayerIndex index, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            indexes.PathOf(layer.Digest), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var digest = Digest.FromSha256(await SHA256.HashDataAsync(file, cancellationToken));
        return new NativeArtifactLayer
        {
            LayerDigest = layer.Digest,
            LayerMediaType = layer.MediaType,
            Index = new Descriptor { MediaType = NativeArtifact.IndexMediaType, Digest = digest, Size = file.Length },
            Identity = index.Id,
            FrontLength = index.FrontLength,
        };
    }

    private async Task<IndexPushResult> PushSociAsync(
        ImageReference repository, Descriptor subject, IReadOnlyList<Descriptor> layers, CancellationToken cancellationToken)
    {
        var parts = new List<(SociZtoc Ztoc, string BuildTool)>();
        var missing = new List<MissingIndex>();
        foreach (var layer in layers.DistinctBy(layer => layer.Digest))
        {
            if (WhyNeverIndexed(layer) is { } why)
                missing.Add(why);
            else if (await ztocs.TryDescribeAsync(layer, cancellationToken) is { } described)
                parts.Add(described);
            else
                missing.Add(new MissingIndex(layer, "no zTOC on this node", IsLazy: true));
        }

        var manifest = new SociIndexManifest
        {
            Subject = subject,
            BuildTool = parts.FirstOrDefault().BuildTool,
            Ztocs = [.. parts.Select(part => part.Ztoc)],
        };
        var blobs = manifest.Ztocs.Select(ztoc => (ztoc.LayerDigest, ztoc.Blob, ztocs.PathOf(ztoc.LayerDigest))).ToList();
        return await PushAsync(repository, manifest.ToBytes(), blobs, missing, cancellationToken);
    }

    private async Task<IndexPushResult> PushAsync(
        ImageReference repository,
        byte[] manifest,
        IReadOnlyList<(Digest Layer, Descriptor Part, string Path)> parts,
        IReadOnlyList<MissingIndex> missing,
        CancellationToken cancellationToken)
    {
        if (parts.Count == 0)
            return new IndexPushResult(null, [], missing);

        var results = new ConcurrentDictionary<Digest, BlobPush>();
        var blobs = parts.Select(part => BlobContent.OfFile(part.Path, part.Part.Digest)).ToList();
        await ArtifactPush.PutBlobsAsync(registry, repository, blobs, mountFrom: null, (digest, how) => results[digest] = how, cancellationToken);
        var artifact = await registry.PushReferrerAsync(repository, MediaTypes.OciManifest, manifest, cancellationToken);
        return new IndexPushResult(artifact, [.. parts.Select(part => new PushedIndex(part.Layer, part.Part, results[part.Part.Digest]))], missing);
    }

    private static MissingIndex? WhyNeverIndexed(Descriptor layer) => MediaTypes.IsLazyLayer(layer.MediaType)
        ? null
        : new MissingIndex(layer, $"a layer of type {layer.MediaType} cannot be read lazily", IsLazy: false);
}
