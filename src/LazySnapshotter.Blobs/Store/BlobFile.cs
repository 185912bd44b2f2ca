using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Blobs.Store;

// The open file of a layer and one of its span tables: sparse, or from some moment on the whole blob. That
// moment swaps the handle under readers; a reader that meets the closed old one simply takes the new one. The sparse
// file is created by the first span stored, so a disk that is full never prevents opening a layer.
internal sealed class BlobFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _sparse;
    private volatile SafeFileHandle? _handle;
    private volatile bool _isComplete;
    private bool _isRemoved;
    private volatile bool _isDisposed;

    public BlobFile(BlobPaths paths, string indexId)
    {
        Paths = paths;
        _sparse = paths.Sparse(indexId);
        if (File.Exists(paths.Blob))
        {
            _handle = OpenExisting(paths.Blob);
            _isComplete = true;
        }
        else if (File.Exists(_sparse))
        {
            _handle = OpenExisting(_sparse);
        }
    }

    public BlobPaths Paths { get; }

    public bool IsComplete => _isComplete;

    /// <summary>Length of the file as it is; 0 if there is none.</summary>
    public long Length => _handle is { } handle ? RandomAccess.GetLength(handle) : 0;

    /// <summary>Fills the destination; false if the file ends before.</summary>
    /// <exception cref="IOException">The disk cannot read.</exception>
    public bool TryRead(long offset, Span<byte> destination)
    {
        while (_handle is { } handle)
        {
            try
            {
                return TryRead(handle, offset, destination);
            }
            catch (ObjectDisposedException) when (_handle != handle)
            {
                // Became the whole blob meanwhile.
            }
        }

        ObjectDisposedException.ThrowIf(_isDisposed, this); // closed is not the same as damaged
        return false;
    }

    /// <summary>Writes at an offset; false if the layer was removed from the store, or closed.</summary>
    /// <exception cref="IOException">The disk cannot write.</exception>
    public bool TryWrite(long offset, ReadOnlySpan<byte> bytes)
    {
        while ((_handle ?? Create()) is { } handle)
        {
            try
            {
                RandomAccess.Write(handle, bytes, offset);
                return true;
            }
            catch (ObjectDisposedException) when (_handle != handle)
            {
                // Became the whole blob meanwhile.
            }
        }

        return false;
    }

    /// <summary>Makes what was written durable; false if there is nothing, or the layer was removed.</summary>
    /// <exception cref="IOException">The disk cannot write.</exception>
    public bool TryFlush()
    {
        if (_handle is not { } handle)
            return false;
        try
        {
            RandomAccess.FlushToDisk(handle);
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>The whole blob is there now, under its final name.</summary>
    public void BecomeComplete()
    {
        SafeFileHandle? old;
        lock (_gate)
        {
            if (_isDisposed || _isRemoved)
                return;
            old = _handle;
            _handle = OpenExisting(Paths.Blob);
            _isComplete = true;
        }

        old?.Dispose();
    }

    /// <summary>The names are gone; what is open may be read on, new files are not made.</summary>
    public void BecomeRemoved()
    {
        lock (_gate)
            _isRemoved = true;
    }

    public void Dispose()
    {
        SafeFileHandle? old;
        lock (_gate)
        {
            _isDisposed = true;
            old = _handle;
            _handle = null;
        }

        old?.Dispose();
    }

    private SafeFileHandle? Create()
    {
        lock (_gate)
        {
            if (_isDisposed || _isRemoved)
                return null;
            return _handle ??= File.OpenHandle(
                _sparse, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
    }

    private static SafeFileHandle OpenExisting(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static bool TryRead(SafeFileHandle handle, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(handle, destination, offset);
            if (read == 0)
                return false;
            offset += read;
            destination = destination[read..];
        }

        return true;
    }
}
