using LazySnapshotter.Artifacts;
using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Reading;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Node.Catalog;

// A layer that is open by one index: its data path, and what goes on in the background for it. Closing it ends both.
internal sealed class OpenLayer : IAsyncDisposable
{
    private readonly NodeParts _node;
    private readonly SpanReader _reader;
    private readonly LayerBlob _blob;
    private readonly SpanFetcher _fetcher;
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Task _completed;
    private Task _warmed = Task.CompletedTask;
    private volatile bool _hasMismatch;

    private OpenLayer(NodeParts node, LayerIndex index, LayerBlobSource source, LayerBlob blob, SpanFetcher fetcher)
    {
        _node = node;
        _blob = blob;
        _fetcher = fetcher;
        _reader = new SpanReader(blob, fetcher, node.Cache, new SpanDecoder(index));
        Source = source;
        Layer = new LazyLayer(index, _reader);
        blob.Mismatched += NoteMismatch;
        _completed = IndexCompletion.RunAsync(index, node.Options.Retrying, node.Logger, _lifetime.Token);
    }

    public LazyLayer Layer { get; }

    public string Identity => Layer.Index.Id;

    public LayerBlobSource Source { get; }

    /// <summary>Its index and the registry have contradicted each other. One of them is wrong.</summary>
    public bool HasMismatch => _hasMismatch;

    /// <summary>Its index was wrong: it is kept for what shows the layer by it, and found by nobody else.</summary>
    public bool IsQuarantined { get; set; }

    /// <summary>The latest image that was seen to have the layer.</summary>
    public ImageReference Image { get; private set; } = null!;

    /// <summary>The data path, bottom to top: registry -> fetcher -> store -> decoder -> reader. Takes the index.</summary>
    public static OpenLayer Join(NodeParts node, LayerIndex index, ImageReference image)
    {
        try
        {
            var source = new LayerBlobSource(index.LayerDigest);
            var blob = node.Blobs.Open(index.LayerDigest, index.Id, index.Spans);
            var fetcher = new SpanFetcher(blob, source, node.Options.Fetching, node.LinkTo(image.Registry));
            return new OpenLayer(node, index, source, blob, fetcher);
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    /// <summary>The layer can be had there, too, and is looked for there first from now on.</summary>
    public void AddImage(ImageReference image)
    {
        Image = image;
        Source.Add(image, () => _node.Registry.OpenBlob(image, Layer.Digest, Layer.Index.Spans.CompressedLength));
    }

    /// <summary>Starts to fetch what will be wanted first. Not by two at a time.</summary>
    public void Warm(IReadOnlyList<SpanRangeToWarm> ranges)
    {
        if (ranges.Count > 0 && _warmed.IsCompleted)
            _warmed = LayerWarmUp.RunAsync(Layer, _reader, ranges, _node.Logger, _lifetime.Token);
    }

    /// <summary>The index was compared with the whole blob: whatever did not fit, it was not the index.</summary>
    public void ForgetMismatch() => _hasMismatch = false;

    public async ValueTask DisposeAsync()
    {
        await _lifetime.CancelAsync();
        await _warmed;
        await _completed;
        _lifetime.Dispose();
        await _fetcher.DisposeAsync();
        _node.Cache.Drop(_blob);
        _blob.Dispose();
        Layer.Index.Dispose();
    }

    private void NoteMismatch(SpanId span)
    {
        if (_hasMismatch)
            return;
        _hasMismatch = true;
        NodeLog.IndexMismatch(_node.Logger, Layer.Digest, Identity, span.Value);
    }
}
