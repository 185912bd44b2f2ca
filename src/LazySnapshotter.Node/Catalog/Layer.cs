using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using LazySnapshotter.Artifacts;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Node.Catalog;

// One layer on this node, as long as the process lives: by which indexes it is open, and how it comes to be (DESIGN D14).
//
//   from       to         because
//   closed     opening    somebody wants to read it
//   opening    open       an index was on this node, or a source had one
//   opening    closed     there was none, and no source has one; whoever waits is told why; the next who asks begins anew
//   open       open       by another index beside the first (of an image of another repository), or because the first was wrong
//   open       closing    nothing shows it any more, or the process ends
//   closing    closed     what went on in the background has ended; the files are closed, and removed if nothing shows it
//
// All of that happens inside the layer's gate: files are opened, parsed and closed there, nobody waits for a network in it, and
// no other layer is kept waiting.
internal sealed partial class Layer(Digest digest, NodeParts node) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly FlightGroup<string, LazyLayer> _obtaining = new(); // by repository

    // Written inside the gate.
    private ImmutableArray<OpenLayer> _open = [];

    /// <summary>Bytes it takes on this node's disk: what was fetched of it, and its indexes.</summary>
    public long StoredBytes => node.Blobs.AllocatedBytes(digest) + node.Indexes.LengthOf(digest);

    /// <inheritdoc cref="LayerCatalog.OpenAsync"/>
    public async Task<LazyLayer> OpenAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        if (await TryOpenForAsync(origin.Image, cancellationToken) is { HasMismatch: false } open)
            return open.Layer;
        // One attempt for all who ask; it goes on when the one who asked first gives up.
        return await _obtaining.RunAsync(origin.Image.Name, () => ObtainAsync(origin, node.Stopping), cancellationToken);
    }

    /// <inheritdoc cref="LayerCatalog.TryOpenAsync(ImageReference, Digest, CancellationToken)"/>
    public async Task<LazyLayer?> TryOpenAsync(ImageReference image, CancellationToken cancellationToken) =>
        (await TryOpenForAsync(image, cancellationToken))?.Layer;

    /// <inheritdoc cref="LayerCatalog.TryOpenAsync(ImageReference, Digest, string, CancellationToken)"/>
    public async Task<LazyLayer?> TryOpenAsync(ImageReference image, string identity, CancellationToken cancellationToken) =>
        (await TryOpenAsync(
            image, open => open.Identity == identity, (out string? damage) => node.Indexes.TryOpen(digest, identity, out damage),
            cancellationToken))?.Layer;

    /// <summary>Closes it and drops its bytes; the indexes stay, so that the next start is lazy from the first byte.</summary>
    public Task RemoveAsync() => CloseAsync(_ => true, () => node.Blobs.Remove(digest));

    /// <summary>Closes it by one certain index, and drops what was fetched by that.</summary>
    public Task RemoveAsync(string identity) =>
        CloseAsync(open => open.Identity == identity, () => node.Blobs.Remove(digest, identity));

    public async ValueTask DisposeAsync()
    {
        await EndRecoveriesAsync();
        await CloseAsync(_ => true, () => { });
    }

    private delegate LayerIndex? IndexOpener(out string? damage);

    private Task<OpenLayer?> TryOpenForAsync(ImageReference image, CancellationToken cancellationToken) => TryOpenAsync(
        image,
        open => node.Indexes.IsVerified(digest, open.Identity) || node.Indexes.IsPublishedBy(digest, open.Identity, image.Name),
        (out string? damage) => node.Indexes.TryOpenFor(digest, image.Name, out damage),
        cancellationToken);

    private async Task<OpenLayer?> TryOpenAsync(
        ImageReference image, Func<OpenLayer, bool> fits, IndexOpener openIndex, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(node.Stopping.IsCancellationRequested, this);
            if (_open.FirstOrDefault(open => !open.IsQuarantined && fits(open)) is { } known)
            {
                known.AddImage(image);
                return known;
            }

            var index = openIndex(out var damage);
            if (damage is not null)
                NodeLog.IndexDamaged(node.Logger, damage);
            return index is null ? null : Join(index, image);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<LazyLayer> OpenAsync(ImageReference image, ObtainedIndex obtained)
    {
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            if (node.Stopping.IsCancellationRequested)
            {
                obtained.Index.Dispose();
                throw new ObjectDisposedException(nameof(Layer));
            }

            var open = Join(obtained.Index, image);
            open.Warm(obtained.Warm);
            return open.Layer;
        }
        finally
        {
            _gate.Release();
        }
    }

    // Inside the gate. The same index may have been opened by somebody else meanwhile.
    private OpenLayer Join(LayerIndex index, ImageReference image)
    {
        var open = _open.FirstOrDefault(open => open.Identity == index.Id && !open.IsQuarantined);
        if (open is not null)
            index.Dispose();
        else
            _open = _open.Add(open = OpenLayer.Join(node, index, image));
        open.AddImage(image);
        return open;
    }

    private async Task CloseAsync(Func<OpenLayer, bool> isMeant, Action remove)
    {
        await _gate.WaitAsync(CancellationToken.None);
        try
        {
            var closing = _open.Where(isMeant).ToList();
            _open = _open.RemoveAll(closing.Contains);
            foreach (var open in closing)
                await open.DisposeAsync();
            remove();
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<LazyLayer> ObtainAsync(LayerOrigin origin, CancellationToken cancellationToken)
    {
        if (await TryOpenForAsync(origin.Image, cancellationToken) is { } meanwhile && !await IsWrongAsync(meanwhile, cancellationToken))
            return meanwhile.Layer;

        foreach (var source in node.Acquisition.Sources)
            source.AskAhead(origin);
        Exception? failure = null;
        await foreach (var answer in node.Acquisition.AskAsync(origin, digest, identity: null, cancellationToken: cancellationToken))
        {
            var refused = answer.Failure ?? (answer.Obtained is { } found ? Refusal(found.Index) : null);
            if (refused is null && answer.Obtained is { } obtained)
            {
                Decision.Leave(); // What goes on for the open layer has all the time there is.
                return await OpenAsync(origin.Image, obtained);
            }

            answer.Obtained?.Index.Dispose();
            failure = refused ?? failure;
            // Said in the log even for the last one, whose failure everybody who waits is told: they may be nobody. A registry's
            // trouble is said once for all layers of an image that is being pulled.
            if (refused is not null && (refused is not RegistryException trouble || Decision.Current?.IsNews(trouble) != false))
                NodeLog.IndexNotObtained(node.Logger, digest, origin.Image, answer.Source.Name, refused.Message);
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        var names = string.Join(", ", node.Acquisition.Sources.Select(source => source.Name));
        throw new UnsupportedLayerException(
            $"{digest}: no index on this node{(names.Length == 0 ? "" : $", and none from any source ({names})")}");
    }
}
