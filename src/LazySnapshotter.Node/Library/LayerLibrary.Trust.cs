using System.Collections.Concurrent;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Library;

// For whom an index counts (docs/SECURITY.md): for all once it was compared with the whole blob, until then for images of the
// repositories that published it.
public sealed partial class LayerLibrary
{
    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _verifying = new(); // by the identity of the index
    private readonly HashSet<string> _refuted = []; // identities

    /// <summary>The index was made of the layer's whole blob, or compared with it.</summary>
    public bool IsVerified(Digest layer, string identity) => _indexes.IsVerified(layer, identity);

    /// <summary>Takes an index that was here before anybody kept track for one that its image's repository published.</summary>
    public void TakeForPublished(Digest layer, string identity, string repository)
    {
        if (File.Exists(_indexes.PathOf(layer, identity)) && !_indexes.IsVouchedFor(layer, identity))
            _indexes.SetPublished(layer, identity, repository);
    }

    /// <summary>Whether the image's repository published this index of the layer: as was seen before, or as it says now.</summary>
    public async Task<bool> IsPublishedAsync(LayerOrigin origin, Digest layer, string identity, CancellationToken cancellationToken)
    {
        if (_indexes.IsPublishedBy(layer, identity, origin.Image.Name))
            return true;
        foreach (var source in _options.Sources.Where(source => source is not StreamedIndexSource))
        {
            try
            {
                using var index = (await source.ObtainAsync(origin, layer, identity, cancellationToken))?.Index;
                if (index?.Id == identity)
                    return true;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnsupportedLayerException)
            {
                // Its images have another index, or none: the layer itself will tell.
            }
        }

        return false;
    }

    /// <summary>Compares an index on this node with the layer's whole blob, which is fetched. One attempt for all who ask.</summary>
    /// <param name="images">Where the blob may be had.</param>
    /// <returns>Null if all of it is right; otherwise what is wrong.</returns>
    /// <exception cref="IOException">The blob, or the index, cannot be had.</exception>
    /// <exception cref="InvalidDataException">What the registry gives as the blob is not it.</exception>
    public async Task<string?> VerifyAsync(
        IReadOnlyList<ImageReference> images, Digest layer, string identity, CancellationToken cancellationToken)
    {
        if (_indexes.IsVerified(layer, identity))
            return null;
        foreach (var image in images)
            _ = TryOpen(image, layer, identity);

        var attempt = _verifying.GetOrAdd(
            identity, _ => new Lazy<Task<string?>>(() => Task.Run(() => VerifyOpenAsync(layer, identity, _lifetime.Token))));
        try
        {
            return await attempt.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            if (attempt.Value.IsCompleted)
                _verifying.TryRemove(new KeyValuePair<string, Lazy<Task<string?>>>(identity, attempt));
        }
    }

    /// <summary>Opens a layer by an index that is verified, building one where there is none.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public async Task<LazyLayer> OpenVerifiedAsync(LayerOrigin origin, Digest layer, CancellationToken cancellationToken)
    {
        var here = TryOpen(
            origin.Image,
            () => OpenOf(layer).FirstOrDefault(open => _indexes.IsVerified(layer, open.Layer.Index.Id)),
            (out string? damage) => _indexes.TryOpenFor(layer, repository: null, out damage));
        if (here is not null)
            return here;
        var builder = _options.Sources.OfType<StreamedIndexSource>().FirstOrDefault()
            ?? throw new UnsupportedLayerException($"{layer}: no verified index on this node, and the configuration forbids to build one");
        return Open(origin.Image, (await builder.ObtainAsync(origin, layer, identity: null, cancellationToken))!);
    }

    /// <summary>The layers of an image, lowest first.</summary>
    /// <exception cref="IOException">The registry does not give its manifest.</exception>
    public async Task<IReadOnlyList<Digest>> LayersOfAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        var image = origin.Image with { Digest = origin.Manifest ?? origin.Image.Digest };
        var resolved = await _registry.ResolveAsync(image, Platform.Current, cancellationToken);
        return [.. resolved.Manifest.Layers.Select(each => each.Digest)];
    }

    private OpenLayer? DoubtedOf(LazyLayer layer)
    {
        lock (_gate)
            return _open.GetValueOrDefault(layer.Index.Id) is { IsDoubted: true } doubted ? doubted : null;
    }

    private bool IsRefuted(string identity)
    {
        lock (_gate)
            return _refuted.Contains(identity);
    }

    // Puts the open index to the proof, if there is reason to. Without a verdict it stays: it never gives wrong bytes.
    private async Task<bool> IsRefutedAsync(LazyLayer layer, CancellationToken cancellationToken)
    {
        if (DoubtedOf(layer) is not { } doubted)
            return false;
        try
        {
            return (await TryAsync(doubted, cancellationToken)).WrongSpan is not null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            NodeLog.IndexUntried(_logger, layer.Digest, layer.Index.Id, e.Message);
            return false;
        }
    }

    // The verdict is kept: what is right is verified from now on, what is wrong is out of use.
    private async Task<IndexVerdict> TryAsync(OpenLayer open, CancellationToken cancellationToken)
    {
        var (layer, identity) = (open.Layer.Digest, open.Layer.Index.Id);
        var verdict = await IndexTrial.RunAsync(open.Layer.Index, open.Source, _blobs, cancellationToken);
        if (verdict.Difference is null)
            _indexes.SetVerified(layer, identity);
        if (verdict.WrongSpan is not { } what)
        {
            open.IsDoubted = false;
            NodeLog.IndexAcquitted(_logger, layer, identity);
            return verdict;
        }

        lock (_gate)
        {
            _refuted.Add(identity);
            if (_open.GetValueOrDefault(identity) == open)
            {
                _open.Remove(identity);
                _retired.Add(open);
            }
        }

        NodeLog.IndexRefuted(_logger, layer, identity, _indexes.SetAside(layer, identity), what);
        return verdict;
    }

    private async Task<string?> VerifyOpenAsync(Digest layer, string identity, CancellationToken cancellationToken)
    {
        OpenLayer? open;
        lock (_gate)
            open = _open.GetValueOrDefault(identity);
        if (open is null)
            throw new IOException($"{layer}: index {identity} is not on this node");
        return (await TryAsync(open, cancellationToken)).Difference;
    }

    // Under the gate.
    private IEnumerable<OpenLayer> OpenOf(Digest layer) => _open.Values.Where(open => open.Layer.Digest == layer);
}
