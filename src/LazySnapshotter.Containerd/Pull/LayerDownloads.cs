using System.Buffers;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Containerd.Pull;

// Brings blobs of layers from the registry into containerd's content store, a few at a time, each once, verified by
// containerd at the commit. Downloads that nobody needs any more are cancelled when this is disposed; what they wrote goes
// with the lease.
internal sealed class LayerDownloads : IAsyncDisposable
{
    private const int BufferBytes = 1024 * 1024;
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(10);

    private readonly ContentClient _content;
    private readonly ImageContent _labels;
    private readonly Func<Descriptor, IBlobReader> _open;
    private readonly Action<Digest, long> _progress;
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _cancellation;
    private readonly Dictionary<Digest, Task> _downloads = [];
    private long _bytesFetched;

    public LayerDownloads(
        ContentClient content, ImageContent labels, Func<Descriptor, IBlobReader> open, int downloadsMax, Action<Digest, long> progress,
        CancellationToken cancellationToken)
    {
        _content = content;
        _labels = labels;
        _open = open;
        _progress = progress;
        _slots = new SemaphoreSlim(downloadsMax);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public long BytesFetched => Interlocked.Read(ref _bytesFetched);

    /// <summary>Starts the download unless it was started. Called from one thread.</summary>
    /// <returns>Ends when the blob is in the content store.</returns>
    public Task Start(Descriptor layer)
    {
        if (!_downloads.TryGetValue(layer.Digest, out var download))
            _downloads[layer.Digest] = download = RunAsync(layer, _cancellation.Token);
        return download;
    }

    public async ValueTask DisposeAsync()
    {
        await _cancellation.CancelAsync();
        // Who needed a download has its exception; the others end unheard.
        await Task.WhenAll(_downloads.Values)
            .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _cancellation.Dispose();
        _slots.Dispose();
    }

    private async Task RunAsync(Descriptor layer, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        try
        {
            var ingest = "layer-" + layer.Digest;
            if (!await TryFetchAsync(ingest, layer, isLast: false, cancellationToken))
                await TryFetchAsync(ingest, layer, isLast: true, cancellationToken);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <param name="isLast">From the start, and an error if it is wrong again; otherwise what an earlier client left is gone on
    /// with.</param>
    /// <returns>False if the blob was wrong (what was left was, or a cache on the way); nothing of it is kept.</returns>
    /// <exception cref="InvalidDataException">The registry's bytes are not the blob.</exception>
    private async Task<bool> TryFetchAsync(string ingest, Descriptor layer, bool isLast, CancellationToken cancellationToken)
    {
        try
        {
            using var writer = await _content.OpenWriterAsync(ingest, layer, cancellationToken);
            if (writer is null)
            {
                await _labels.AddLabelsAsync(layer.Digest, [], cancellationToken);
                return true;
            }

            if (isLast || writer.Offset > layer.Size)
                writer.Restart();
            await CopyAsync(layer, writer, cancellationToken);
            await writer.CommitAsync(_labels.SourceLabels());
            return true;
        }
        catch (InvalidDataException e)
        {
            // An ingest that is complete and wrong would fail whoever opens it next. (Any other failure leaves it to the lease:
            // another client may have opened it since.)
            using var timeout = new CancellationTokenSource(AbortTimeout);
            await _content.AbortAsync(ingest, timeout.Token);
            if (isLast)
                throw new InvalidDataException($"layer {layer.Digest}: {e.Message}", e);
            return false;
        }
    }

    private async Task CopyAsync(Descriptor layer, ContentWriter writer, CancellationToken cancellationToken)
    {
        if (writer.Offset == layer.Size)
            return;

        var reader = _open(layer);
        await using var blob = writer.Offset == 0
            ? await reader.OpenAsync(ReadPriority.Demanded(), cancellationToken)
            : await reader.OpenExactRangeAsync(writer.Offset, layer.Size - writer.Offset, ReadPriority.Demanded(), cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = await blob.ReadAtLeastAsync(
                buffer.AsMemory(0, BufferBytes), BufferBytes, throwOnEndOfStream: false, cancellationToken)) > 0)
            {
                if (writer.Offset + count > layer.Size)
                    throw new InvalidDataException($"the registry sends more than the {layer.Size} bytes of its descriptor");
                await writer.WriteAsync(buffer.AsMemory(0, count));
                Interlocked.Add(ref _bytesFetched, count);
                _progress(layer.Digest, writer.Offset);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (writer.Offset < layer.Size)
            throw new InvalidDataException($"the registry sends {writer.Offset} of the {layer.Size} bytes of its descriptor");
    }
}
