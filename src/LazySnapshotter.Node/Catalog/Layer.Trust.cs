using System.Collections.Immutable;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Catalog;

// For whom an index counts (docs/SECURITY.md): for all once it was compared with the whole blob, until then for images of the
// repositories that published it. One that is wrong is quarantined: what has the layer open by it keeps it, and reads by it never
// give wrong bytes; everybody else gets another index.
internal sealed partial class Layer
{
    private readonly FlightGroup<string, string?> _verifying = new(); // by the identity of the index
    private ImmutableHashSet<string> _quarantined = []; // identities

    /// <inheritdoc cref="LayerCatalog.IsPublishedAsync"/>
    public async Task<bool> IsPublishedAsync(LayerOrigin origin, string identity, CancellationToken cancellationToken)
    {
        if (node.Indexes.IsPublishedBy(digest, identity, origin.Image.Name))
            return true;
        // What fails has another index, or none: the layer itself will tell.
        await foreach (var answer in node.Acquisition.AskAsync(
            origin, digest, identity, source => source is not StreamedIndexSource, cancellationToken))
        {
            using var index = answer.Obtained?.Index;
            if (index?.Id == identity)
                return true;
        }

        return false;
    }

    /// <inheritdoc cref="LayerCatalog.VerifyAsync"/>
    public async Task<string?> VerifyAsync(IReadOnlyList<ImageReference> images, string identity, CancellationToken cancellationToken)
    {
        if (node.Indexes.IsVerified(digest, identity))
            return null;
        foreach (var image in images)
            await TryOpenAsync(image, identity, cancellationToken);
        return await _verifying.RunAsync(identity, async () =>
        {
            var open = _open.FirstOrDefault(each => each.Identity == identity && !each.IsQuarantined)
                ?? throw new IOException($"{digest}: index {identity} is not on this node");
            return (await CompareAsync(open, node.Stopping)).Difference;
        }, cancellationToken);
    }

    /// <inheritdoc cref="LayerCatalog.OpenVerifiedAsync"/>
    public async Task<LazyLayer> OpenVerifiedAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        var here = await TryOpenAsync(
            origin.Image,
            open => node.Indexes.IsVerified(digest, open.Identity),
            (out string? damage) => node.Indexes.TryOpenFor(digest, repository: null, out damage),
            cancellationToken);
        if (here is not null)
            return here.Layer;
        var builder = node.Acquisition.Sources.OfType<StreamedIndexSource>().FirstOrDefault()
            ?? throw new UnsupportedLayerException($"{digest}: no verified index on this node, and the configuration forbids to build one");
        return await OpenAsync(origin.Image, (await builder.ObtainAsync(origin, digest, identity: null, cancellationToken))!);
    }

    // A source may come back with what was found to be wrong.
    private InvalidDataException? Refusal(LayerIndex index) => _quarantined.Contains(index.Id)
        ? new InvalidDataException($"its index {index.Id} is wrong, kept as {node.Indexes.SetAside(digest, index.Id)}")
        : null;

    // Compares the index, if there is reason to. What cannot be compared stays: it never gives wrong bytes.
    private async Task<bool> IsWrongAsync(OpenLayer open, CancellationToken cancellationToken)
    {
        if (!open.HasMismatch)
            return false;
        try
        {
            return (await CompareAsync(open, cancellationToken)).WrongSpan is not null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            NodeLog.IndexNotCompared(node.Logger, digest, open.Identity, e.Message);
            return false;
        }
    }

    private async Task<ComparisonResult> CompareAsync(OpenLayer open, CancellationToken cancellationToken)
    {
        var identity = open.Identity;
        var result = await IndexComparison.RunAsync(open.Layer.Index, open.Source, node.Blobs, cancellationToken);
        if (result.Difference is null)
            node.Indexes.SetVerified(digest, identity);
        if (result.WrongSpan is not { } what)
        {
            open.ForgetMismatch();
            NodeLog.IndexVerified(node.Logger, digest, identity);
            return result;
        }

        await _gate.WaitAsync(CancellationToken.None);
        _quarantined = _quarantined.Add(identity);
        open.IsQuarantined = true;
        _gate.Release();
        NodeLog.IndexQuarantined(node.Logger, digest, identity, node.Indexes.SetAside(digest, identity), what);
        return result;
    }
}
