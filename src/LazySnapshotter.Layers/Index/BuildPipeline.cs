using LazySnapshotter.Layers.Gzip;

namespace LazySnapshotter.Layers.Index;

// The threads of a build. Whoever reads the blob adds chunks of it; one thread inflates them, another one does all the
// rest, which together takes about as long. Bounded queues lie between, so a slow reader keeps nobody busy and a fast one
// fills no memory.
//
//   reader -- BlobChunk --> index-inflate -- BlobChunk, GzipChunk --> index-record
//
// Each chunk has one owner, who writes it, until it is handed over. What index-inflate has handed over it may still
// read: index-record recycles bytes of the blob only when what they unpack to has come.
internal sealed class BuildPipeline : IAsyncDisposable
{
    /// <summary>1 MiB of blob: what a reader is ahead while a thread waits for its turn.</summary>
    private const int BlobChunkCountMax = 4;

    /// <summary>Half of it are chunks of output, 2 MiB together.</summary>
    private const int ChunkCountMax = 8;

    private readonly LayerPass _pass;
    private readonly Recycler<GzipChunk> _gzipChunks;
    private readonly Handover<BlobChunk> _toInflate = new(BlobChunkCountMax);
    private readonly Handover<object> _toRecord = new(ChunkCountMax);
    private readonly CancellationTokenSource _abort;
    private readonly Task _inflating;
    private readonly Task _recording;

    public BuildPipeline(LayerPass pass, Recycler<GzipChunk> gzipChunks, CancellationToken cancellationToken)
    {
        _pass = pass;
        _gzipChunks = gzipChunks;
        _abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Aborted = _abort.Token;
        _inflating = Run("index-inflate", Inflate);
        _recording = Run("index-record", Record);
    }

    /// <summary>Cancelled when a build has failed, or was cancelled: nobody will take what is added.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Hands over the next chunk of the blob.</summary>
    public ValueTask AddAsync(BlobChunk chunk) => _toInflate.AddAsync(chunk, Aborted);

    /// <summary>The blob has ended. Returns when all of it is in the pass, and throws what was wrong with it first.</summary>
    /// <param name="failure">Why there is no more of it; thrown unless something else was wrong before.</param>
    public async Task CompleteAsync(Exception? failure)
    {
        _toInflate.Complete(failure);
        await _recording;
    }

    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await Task.WhenAll(_inflating, _recording).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _toInflate.Dispose();
        _toRecord.Dispose();
        _abort.Dispose();
    }

    private void Inflate()
    {
        try
        {
            var first = _toInflate.Take(Aborted);
            _pass.Compression = LayerFormat.Detect(first is null ? [] : first.Bytes[..Math.Min(first.Length, LayerFormat.ProbeLength)]);
            var reader = _pass.Compression == LayerCompression.Gzip
                ? new GzipReader(_pass.NeedsReach, _gzipChunks.Rent, chunk => _toRecord.Add(chunk, Aborted))
                : null;
            for (var chunk = first; chunk is not null; chunk = _toInflate.Take(Aborted))
            {
                _toRecord.Add(chunk, Aborted);
                reader?.Append(chunk.Bytes);
            }

            reader?.Complete();
            _toRecord.Complete();
        }
        catch (Exception e)
        {
            _toRecord.Complete(e); // behind everything that was good
            throw;
        }
    }

    private void Record()
    {
        try
        {
            while (_toRecord.Take(Aborted) is { } chunk)
            {
                if (chunk is BlobChunk blobChunk)
                    _pass.Take(blobChunk);
                else
                    _pass.Take((GzipChunk)chunk);
            }
        }
        catch
        {
            _abort.Cancel();
            throw;
        }
    }

    private static Task Run(string name, Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { Name = name, IsBackground = true };
        thread.Start();
        return done.Task;
    }
}
