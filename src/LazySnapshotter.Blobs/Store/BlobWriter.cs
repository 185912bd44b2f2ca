using System.Security.Cryptography;
using LazySnapshotter.Oci;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Blobs.Store;

// Keeps a whole blob while somebody streams through it: each piece is written to a temporary file and hashed; at the end
// the digest decides whether the file gets the layer's name. A disk that refuses costs the copy, not the stream: writing
// goes on into nothing and the digest is still checked. One writer, one thread at a time. Disposing without completing
// leaves nothing behind.
public sealed class BlobWriter : IDisposable
{
    private readonly BlobStore _store;
    private readonly Digest _layer;
    private readonly long? _length;
    private readonly IncrementalHash _hash;
    private readonly string _path;
    private SafeFileHandle? _file;
    private long _written;
    private bool _isDone;

    internal BlobWriter(BlobStore store, Digest layer, long? length, BlobPaths paths)
    {
        _store = store;
        _layer = layer;
        _length = length;
        _hash = layer.CreateHash();
        _path = paths.NewPartial();
        Try(() => _file = File.OpenHandle(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read));
    }

    /// <exception cref="InvalidDataException">The stream is longer than the descriptor said.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _length - _written)
            throw new InvalidDataException($"{_layer}: the blob is longer than the {_length} bytes its descriptor gives");
        _hash.AppendData(bytes);
        if (_file is not null)
        {
            try
            {
                RandomAccess.Write(_file, bytes, _written);
            }
            catch (IOException e)
            {
                GiveUp(e);
            }
        }

        _written += bytes.Length;
    }

    /// <summary>
    /// The stream has ended: checks the digest, makes the file durable and gives it its name. From then on every span of
    /// the layer is present, for readers that have it open too. False if the disk did not take it (logged).
    /// </summary>
    /// <exception cref="InvalidDataException">These were not the layer's bytes; nothing was kept.</exception>
    public async Task<bool> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_length is not null && _written != _length)
            throw new InvalidDataException($"{_layer}: the blob has {_written} bytes, its descriptor gives {_length}");
        var hash = _hash.GetHashAndReset();
        if (!_layer.Matches(hash))
            throw new InvalidDataException(
                $"{_layer}: the {_written} bytes received have {_layer.Algorithm} {Convert.ToHexStringLower(hash)}");
        if (_file is null)
            return false;
        return await Task.Run(Keep, cancellationToken);
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _hash.Dispose();
        if (!_isDone)
            Try(() => File.Delete(_path));
    }

    private bool Keep() => Try(() =>
    {
        RandomAccess.FlushToDisk(_file!);
        _file!.Dispose();
        _file = null;
        _store.Adopt(_layer, _path);
        _isDone = true;
    });

    private bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            GiveUp(e);
            return false;
        }
    }

    private void GiveUp(Exception cause)
    {
        _store.NoteRefused(_path, cause);
        _file?.Dispose();
        _file = null;
        try
        {
            File.Delete(_path); // at once: a full disk wants its space back
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BlobsLog.LeftoverStays(_store.Logger, _path, e.Message);
        }
    }
}
