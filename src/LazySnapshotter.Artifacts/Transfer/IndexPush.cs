using System.Collections.Concurrent;
using System.Security.Cryptography;
using LazySnapshotter.Artifacts.Layouts;
using LazySnapshotter.Artifacts.Native;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;

namespace LazySnapshotter.Artifacts.Transfer;

// Publishes what this node has: one artifact per image manifest with the indexes of all of its layers. Nothing is built here,
// and the image is not touched. Pushing the same indexes again changes nothing.
public sealed class IndexPush(RegistryClient registry)
{
    /// <summary>Publishes the indexes that a node has, as our artifact.</summary>
    /// <param name="subject">The image's manifest, which is in the repository.</param>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public async Task<IndexPushResult> RunAsync(
        ImageReference repository, Descriptor subject, IReadOnlyList<Descriptor> layers, LayerIndexStore indexes,
        CancellationToken cancellationToken)
    {
        var parts = new List<NativeArtifactLayer>();
        var missing = new List<MissingIndex>();
        foreach (var layer in layers.DistinctBy(layer => layer.Digest))
        {
            if (WhyNeverIndexed(layer) is { } why)
                missing.Add(why);
            else if (TryOpenWhole(indexes, layer.Digest, repository.Name, out var damage) is not { } index)
                missing.Add(new MissingIndex(
                    layer, damage ?? "no index on this node that was made of the layer or came from this repository", IsLazy: true));
            else
            {
                using (index)
                    parts.Add(await DescribeAsync(layer, index, indexes.PathOf(layer.Digest, index.Id), cancellationToken));
            }
        }

        var artifact = new NativeArtifact { Subject = subject, Layers = parts };
        var blobs = parts.Select(part => (part.LayerDigest, part.Index, indexes.PathOf(part.LayerDigest, part.Identity))).ToList();
        return await PushAsync(repository, artifact.ToBytes(), blobs, missing, cancellationToken);
    }

    /// <summary>Publishes the index artifacts of the image that lie in an OCI image layout, to the byte.</summary>
    /// <returns>One for each; what is missing is not said, because such an artifact may leave out layers on purpose.</returns>
    /// <exception cref="InvalidDataException">Not a layout, or an artifact in it is malformed.</exception>
    /// <inheritdoc cref="RunAsync"/>
    public async Task<IReadOnlyList<IndexPushResult>> RunFromLayoutAsync(
        ImageReference repository, Digest subject, string directory, IndexFormat format, CancellationToken cancellationToken)
    {
        var results = new List<IndexPushResult>();
        var type = format == IndexFormat.Native ? NativeArtifact.ArtifactType : SociNames.IndexV1;
        foreach (var artifact in await new LayoutArtifacts(directory).FindAsync(type, subject, cancellationToken))
            results.Add(await PushAsync(repository, artifact.Manifest, artifact.Parts, missing: [], cancellationToken));
        return results;
    }

    // What others are to rely on is proved to its last byte first, and nobody vouches here for what another repository says.
    private static LayerIndex? TryOpenWhole(LayerIndexStore indexes, Digest layer, string repository, out string? damage)
    {
        var index = indexes.TryOpenFor(layer, repository, out damage);
        try
        {
            index?.VerifyWindows();
            return index;
        }
        catch (InvalidDataException e)
        {
            index!.Dispose();
            damage = "damaged: " + e.Message;
            return null;
        }
    }

    private static async Task<NativeArtifactLayer> DescribeAsync(
        Descriptor layer, LayerIndex index, string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var digest = Digest.FromSha256(await SHA256.HashDataAsync(file, cancellationToken));
        return new NativeArtifactLayer
        {
            LayerDigest = layer.Digest,
            LayerMediaType = layer.MediaType,
            Index = new Descriptor { MediaType = NativeArtifact.IndexMediaType, Digest = digest, Size = file.Length },
            Identity = index.Id,
            FrontLength = index.FrontLength,
            Content = file.Length <= NativeArtifact.ContentLengthMax ? await File.ReadAllBytesAsync(path, cancellationToken) : null,
        };
    }

    private static MissingIndex? WhyNeverIndexed(Descriptor layer) => MediaTypes.IsLazyLayer(layer.MediaType)
        ? null
        : new MissingIndex(layer, $"a layer of type {layer.MediaType} cannot be read lazily", IsLazy: false);

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
        await ArtifactPush.PutBlobsAsync(
            registry, repository, blobs, mountFrom: null, (digest, how) => results[digest] = how, cancellationToken);
        var artifact = await registry.PushReferrerAsync(repository, MediaTypes.OciManifest, manifest, cancellationToken);
        return new IndexPushResult(
            artifact, [.. parts.Select(part => new PushedIndex(part.Layer, part.Part, results[part.Part.Digest]))], missing);
    }
}
