using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Blobs.Store;

// The compressed blobs of this node, whole or in part, below <root>/blobs (file names: BlobPaths). Several
// processes may use the directory at once (StoreUse): the daemon, and commands that look into images. Locks: _gate guards the
// table of open files and which of them is whole; under it come BlobFile's and then SpanStates' gates, never the other way
// round.
public sealed partial class BlobStore : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Digest Layer, string IndexId), LayerBlob> _open = [];
    private readonly StoreUse _use;
    private volatile bool _isRefusing;
    private bool _isDisposed;

    private BlobStore(string directory, ILogger logger)
    {
        Directory = directory;
        Logger = logger;
        _use = StoreUse.Begin(Path.Combine(directory, "lock"), RemoveLeftovers);
    }

    /// <summary><c>&lt;root&gt;/blobs</c></summary>
    public string Directory { get; }

    /// <summary>Counters of everything read through this store.</summary>
    public LayerReadStatistics Statistics { get; } = new();

    internal ILogger Logger { get; }

    internal bool CanStore => !_isRefusing;

    /// <summary>Opens the store below a root directory, creating it, and removes what interrupted processes left half done.</summary>
    /// <exception cref="IOException">The directory cannot be used; the message names it.</exception>
    public static BlobStore Open(string root, ILogger? logger = null)
    {
        var directory = Path.Combine(root, "blobs");
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute; // images may be private
        System.IO.Directory.CreateDirectory(directory, ownerOnly);
        System.IO.Directory.CreateDirectory(Path.Combine(directory, Digest.Sha256Algorithm), ownerOnly);
        System.IO.Directory.CreateDirectory(Path.Combine(directory, Digest.Sha512Algorithm), ownerOnly);
        return new BlobStore(directory, logger ?? NullLogger.Instance);
    }

    /// <summary>Opens one layer for reading by one of its indexes.</summary>
    /// <param name="indexId">Names the span table for ever: another table for the same layer has another id. 1 to 100 of a-z, 0-9, '-',
    /// '_'.</param>
    /// <exception cref="InvalidDataException">The span table cannot be this layer's, or asks for spans beyond the limit.</exception>
    /// <exception cref="InvalidOperationException">The layer is already open by this index.</exception>
    public LayerBlob Open(Digest layer, string indexId, SpanTable spans)
    {
        BlobPaths.CheckIndexId(indexId);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_open.ContainsKey((layer, indexId)))
                throw new InvalidOperationException($"{layer} is already open by index {indexId}");
            var file = new BlobFile(BlobPaths.Of(Directory, layer), indexId);
            try
            {
                if (file.IsComplete && file.Length > spans.CompressedLength)
                    throw new InvalidDataException(
                        $"{layer}: the index speaks of {spans.CompressedLength} bytes, the blob has {file.Length}");
                return _open[(layer, indexId)] = new LayerBlob(this, file, layer, indexId, spans);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }

    /// <summary>Takes in a whole blob, as a stream of it passes by.</summary>
    /// <param name="length">What the descriptor says, if there is one: more or less is an error. The digest is checked in any case.</param>
    public BlobWriter CreateWriter(Digest layer, long? length = null)
    {
        if (length is not null)
            ArgumentOutOfRangeException.ThrowIfNegative(length.Value);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return new BlobWriter(this, layer, length, BlobPaths.Of(Directory, layer));
    }

    /// <summary>Lets every file go, and the directory's lock. Layers should be closed before.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            foreach (var blob in _open.Values)
                blob.File.Dispose();
            _open.Clear();
        }

        _use.Dispose();
        Statistics.Dispose();
    }

    internal void Close(LayerBlob blob)
    {
        lock (_gate)
        {
            blob.File.Dispose();
            if (_open.GetValueOrDefault((blob.Layer, blob.IndexId)) == blob)
                _open.Remove((blob.Layer, blob.IndexId));
        }
    }

    /// <summary>Under the gate.</summary>
    private List<LayerBlob> OpenOf(Digest layer) => [.. _open.Values.Where(blob => blob.Layer == layer)];

    /// <summary>The disk took bytes.</summary>
    internal void NoteStored()
    {
        if (!_isRefusing)
            return;
        lock (_gate)
        {
            if (!_isRefusing)
                return;
            _isRefusing = false;
        }

        BlobsLog.StoreAccepts(Logger, Directory);
    }

    /// <summary>The disk refused bytes: said once, until it takes some again.</summary>
    internal void NoteRefused(string path, Exception cause)
    {
        Statistics.Count(ReadCount.StoreFailures);
        lock (_gate)
        {
            if (_isRefusing)
                return;
            _isRefusing = true;
        }

        BlobsLog.StoreRefuses(Logger, path, cause.Message);
    }
}
