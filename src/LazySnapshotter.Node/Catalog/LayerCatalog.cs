using System.Collections.Concurrent;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Files;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Node.Catalog;

// The layers of this node, by digest. The same layer is opened once by each of its indexes, however many images, directories and
// commands want it; what happens to one of them is Layer's business. An index comes from the node, if it is verified or the
// image's repository published it, or else from the first source that has a good one (DESIGN D7); nothing that failed is
// remembered.
public sealed class LayerCatalog : IAsyncDisposable
{
    private readonly NodeParts _node;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly ConcurrentDictionary<Digest, Layer> _layers = new();

    public LayerCatalog(
        LayerIndexStore indexes, BlobStore blobs, RegistryClient registry, SpanCache cache, LayerCatalogOptions options,
        ILoggerFactory loggers)
    {
        _node = new NodeParts(indexes, blobs, registry, cache, options, loggers.CreateLogger<LayerCatalog>(), _lifetime.Token);
        indexes.Damaged += OnDamaged;
    }

    /// <summary>What the registry client has done so far.</summary>
    public RegistryCounts RegistryCounts => _node.Registry.Statistics.Counts;

    /// <summary>Opens a layer, obtaining its index first where there is none on this node.</summary>
    /// <param name="origin">An image that has the layer: where its bytes, and perhaps its index, can be had.</param>
    /// <exception cref="IOException">The registry cannot give the layer.</exception>
    /// <exception cref="InvalidDataException">The layer is not what its digest or its format promise.</exception>
    /// <exception cref="UnsupportedLayerException">A layer that cannot be read lazily (zstd), or no source has an index of it.</exception>
    public Task<LazyLayer> OpenAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken) =>
        Of(layer).OpenAsync(origin, cancellationToken);

    /// <summary>Opens a layer by an index that is verified, building one where there is none.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public Task<LazyLayer> OpenVerifiedAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken) =>
        Of(layer).OpenVerifiedAsync(origin, cancellationToken);

    /// <summary>Opens a layer by an index on this node that images of the reference's repository may use, without the network.</summary>
    /// <returns>Null when there is none.</returns>
    public Task<LazyLayer?> TryOpenAsync(ImageReference image, Digest layer, CancellationToken cancellationToken) =>
        Of(layer).TryOpenAsync(image, cancellationToken);

    /// <summary>Opens a layer by one certain index on this node, without the network. Null when it is not here.</summary>
    public Task<LazyLayer?> TryOpenAsync(ImageReference image, Digest layer, string identity, CancellationToken cancellationToken) =>
        Of(layer).TryOpenAsync(image, identity, cancellationToken);

    /// <summary>
    /// Starts to obtain an index that is not on this node any more, and to open its layer by it, unless that is under way
    /// already. Returns at once; <see cref="TryOpenAsync(ImageReference, Digest, string, CancellationToken)"/> finds it when it is here.
    /// </summary>
    /// <param name="isWanted">Asked before each attempt.</param>
    /// <returns>It was started now.</returns>
    public bool Recover(ImageReference image, Digest layer, string identity, Func<bool> isWanted) =>
        Of(layer).Recover(image, identity, isWanted);

    /// <summary>Closes a layer and drops its bytes; the indexes stay, so that the next start is lazy from the first byte.</summary>
    public Task RemoveAsync(Digest layer) => Of(layer).RemoveAsync();

    /// <summary>Closes a layer that is open by one certain index, and drops what was fetched by it.</summary>
    public Task RemoveAsync(Digest layer, string identity) => Of(layer).RemoveAsync(identity);

    /// <summary>Bytes a layer takes on this node's disk: what was fetched of it, and its indexes.</summary>
    public long StoredBytes(Digest layer) => Of(layer).StoredBytes;

    /// <summary>The index was made of the layer's whole blob, or compared with it.</summary>
    public bool IsVerified(Digest layer, string identity) => _node.Indexes.IsVerified(layer, identity);

    /// <summary>The index is of a version of the format that this program does not read; another program may.</summary>
    public bool IsOfOtherVersion(Digest layer, string identity) => _node.Indexes.IsOfOtherVersion(layer, identity);

    /// <summary>Takes an index that was here before anybody kept track for one that its image's repository published.</summary>
    public void TakeForPublished(Digest layer, string identity, string repository)
    {
        if (File.Exists(_node.Indexes.PathOf(layer, identity)) && !_node.Indexes.IsVouchedFor(layer, identity))
            _node.Indexes.SetPublished(layer, identity, repository);
    }

    /// <summary>Whether the image's repository published this index of the layer: as was seen before, or as it says now.</summary>
    public Task<bool> IsPublishedAsync(LayerOrigin origin, Digest layer, string identity, CancellationToken cancellationToken) =>
        Of(layer).IsPublishedAsync(origin, identity, cancellationToken);

    /// <summary>Compares an index on this node with the layer's whole blob, which is fetched. One attempt for all who ask.</summary>
    /// <param name="images">Where the blob may be had.</param>
    /// <returns>Null if all of it is right; otherwise what is wrong.</returns>
    /// <exception cref="IOException">The blob, or the index, cannot be had.</exception>
    /// <exception cref="InvalidDataException">What the registry gives as the blob is not it.</exception>
    public Task<string?> VerifyAsync(
        IReadOnlyList<ImageReference> images, Digest layer, string identity, CancellationToken cancellationToken) =>
        Of(layer).VerifyAsync(images, identity, cancellationToken);

    /// <summary>The layers of an image, lowest first.</summary>
    /// <exception cref="IOException">The registry does not give its manifest.</exception>
    public async Task<IReadOnlyList<Digest>> LayersOfAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        var image = origin.Image with { Digest = origin.Manifest ?? origin.Image.Digest };
        var resolved = await _node.Registry.ResolveAsync(image, Platform.Current, cancellationToken);
        return [.. resolved.Manifest.Layers.Select(each => each.Digest)];
    }

    /// <summary>What a client handed over for an image's repository: used for it from now on, as long as this process lives.</summary>
    public void UseCredentials(ImageReference repository, string username, string secret) =>
        _node.Registry.UseCredentials(repository, username, secret);

    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync();
        _node.Indexes.Damaged -= OnDamaged;
        foreach (var layer in _layers.Values)
            await layer.DisposeAsync();
        _lifetime.Dispose();
    }

    private Layer Of(Digest layer) => _layers.GetOrAdd(layer, digest => new Layer(digest, _node));

    private void OnDamaged(Digest layer, string identity, string damage) => Of(layer).OnDamaged(identity, damage);
}
