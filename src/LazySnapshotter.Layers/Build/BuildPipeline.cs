using System.Runtime.ExceptionServices;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Build;

// The stages of a build, which a few threads share. Inflating is half of the work; what is behind it has the other half.
//
//   blob --> read -- BlobChunk --> inflate -- BlobChunk, GzipChunk --> check -- the same --> record
//
// Reading is a stage for a file, which comes at once; a stream that has to be waited for is read outside, and added.
// Queues are bounded: a slow reader keeps nobody busy and a fast one fills no memory. An end, good or bad, goes through the
// stages like everything else: a failure is met only behind all that came before it.
//
// Each chunk has one owner, who writes it, until it is handed over. What inflating has handed over it may still read:
// recording recycles bytes of the blob only when what they unpack to has come.
internal sealed class BuildPipeline : IAsyncDisposable
{
    /// <summary>2 MiB of blob.</summary>
    private const int BlobChunkCountMax = 8;

    /// <summary>Before checking, and again before recording; two thirds of it are chunks of output, 2 MiB.</summary>
    private const int ChunkCountMax = 6;

    /// <summary>Read, and inflate, check, record are 2 : 1 : 1: more would have nothing to do.</summary>
    private const int ThreadCountMax = 3;

    private static readonly object ReadNext = new();

    private readonly LayerPass _pass;
    private readonly Recycler<GzipChunk> _gzipChunks;
    private readonly CancellationTokenSource _abort;
    private readonly BuildThreads _threads;
    private readonly BuildStage _read;
    private readonly BuildStage _inflate;
    private readonly BuildStage _check;
    private readonly BuildStage _record;
    private readonly Task _working;
    private Func<BlobChunk?>? _readChunk;
    private bool _isInflating;
    private GzipReader? _gzip;
    private bool _isInflateDone;
    private bool _isCheckDone;
    private Exception? _failure;

    public BuildPipeline(LayerPass pass, Recycler<GzipChunk> gzipChunks, CancellationToken cancellationToken)
    {
        _pass = pass;
        _gzipChunks = gzipChunks;
        _abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _record = new BuildStage(ChunkCountMax, next: null, Record);
        _check = new BuildStage(ChunkCountMax, _record, Check);
        _inflate = new BuildStage(BlobChunkCountMax, _check, Inflate);
        _read = new BuildStage(1, _inflate, Read);

        // Inflating first: everything waits for it. Then what has come farthest, while it is in a cache.
        Aborted = _abort.Token;
        _threads = new BuildThreads([_inflate, _record, _check, _read], Aborted);
        _working = _threads.StartAsync(Math.Clamp(Environment.ProcessorCount, 2, ThreadCountMax));
    }

    /// <summary>Cancelled when a build has failed, or was cancelled: nobody will take what is added.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Hands over the next chunk of the blob.</summary>
    public ValueTask AddAsync(BlobChunk chunk) => _threads.AddAsync(_inflate, chunk);

    /// <summary>Instead of adding: the pipeline reads the blob itself, without waiting for it.</summary>
    /// <param name="read">The next chunk; null at the end.</param>
    public async Task ReadAsync(Func<BlobChunk?> read)
    {
        _readChunk = read;
        await _threads.AddAsync(_read, ReadNext);
        await EndAsync();
    }

    /// <summary>The blob has ended. Returns when all of it is in the pass, and throws what was wrong with it first.</summary>
    /// <param name="failure">Why there is no more of it; thrown unless something else was wrong before.</param>
    public async Task CompleteAsync(Exception? failure)
    {
        try
        {
            await _threads.AddAsync(_inflate, new BuildEnd(failure));
        }
        catch (OperationCanceledException)
        {
            // the reason is known below
        }

        await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _threads.Dispose();
        _abort.Dispose();
    }

    private async Task EndAsync()
    {
        await _working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_failure is not null)
            ExceptionDispatchInfo.Throw(_failure);
        await _working;
    }

    private void Read(object next)
    {
        object? chunk;
        try
        {
            chunk = _readChunk!() ?? (object)new BuildEnd(null);
        }
        catch (Exception e)
        {
            chunk = new BuildEnd(e);
        }

        _threads.Add(_inflate, chunk);
        if (chunk is BlobChunk)
            _threads.Add(_read, ReadNext);
    }

    private void Inflate(object item)
    {
        if (_isInflateDone)
            return;
        try
        {
            if (item is BuildEnd { Failure: not null } failed)
            {
                EndInflating(failed);
                return;
            }

            if (!_isInflating)
                StartInflating(item as BlobChunk);
            if (item is BlobChunk chunk)
            {
                _threads.Add(_check, chunk);
                _gzip?.Append(chunk.Bytes);
                return;
            }

            _gzip?.Complete();
            EndInflating((BuildEnd)item);
        }
        catch (Exception e)
        {
            EndInflating(new BuildEnd(e)); // behind everything that was good
        }
    }

    private void StartInflating(BlobChunk? first)
    {
        _isInflating = true;
        _pass.Compression = LayerFormat.Detect(first is null ? [] : first.Bytes[..Math.Min(first.Length, LayerFormat.ProbeLength)]);
        if (_pass.Compression == LayerCompression.Gzip)
            _gzip = new GzipReader(_pass.NeedsReach, _gzipChunks.Rent, chunk => _threads.Add(_check, chunk));
    }

    private void EndInflating(BuildEnd end)
    {
        _isInflateDone = true;
        _threads.Add(_check, end);
    }

    private void Check(object item)
    {
        if (_isCheckDone)
            return;
        BuildEnd? end = null;
        try
        {
            if (item is BlobChunk blobChunk)
                _pass.Check(blobChunk);
            else if (item is GzipChunk chunk)
                _pass.Check(chunk);
        }
        catch (Exception e)
        {
            end = new BuildEnd(e);
        }

        _threads.Add(_record, item); // a broken one too: there may be worse before the place
        if (end is not null)
            _threads.Add(_record, end);
        _isCheckDone = end is not null;
    }

    private void Record(object item)
    {
        try
        {
            if (item is BlobChunk blobChunk)
                _pass.Take(blobChunk);
            else if (item is GzipChunk chunk)
                _pass.Take(chunk);
            else if (((BuildEnd)item).Failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            else
                _threads.Complete();
        }
        catch (Exception e)
        {
            _failure = e;
            _abort.Cancel();
        }
    }

    /// <summary>Behind the last chunk.</summary>
    private sealed record BuildEnd(Exception? Failure);
}
