using LazySnapshotter.Linux;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Store;

/// <param name="IsComplete">The whole blob is here.</param>
/// <param name="AllocatedBytes">What it takes on disk, holes not counted.</param>
public readonly record struct StoredBlob(Digest Layer, bool IsComplete, long AllocatedBytes);

// The store as a set of files: what is here, what it takes, taking in and throwing out whole blobs.
public sealed partial class BlobStore
{
    /// <summary>Every layer of which something is here.</summary>
    public IReadOnlyList<StoredBlob> Enumerate()
    {
        var found = new List<StoredBlob>();
        foreach (var algorithm in (string[])[Digest.Sha256Algorithm, Digest.Sha512Algorithm])
        {
            var hexes = System.IO.Directory.EnumerateFiles(Path.Combine(Directory, algorithm))
                .Where(path => path.EndsWith(BlobPaths.BlobSuffix, StringComparison.Ordinal) || path.EndsWith(BlobPaths.SparseSuffix, StringComparison.Ordinal))
                .Select(Path.GetFileNameWithoutExtension)
                .ToHashSet(StringComparer.Ordinal);
            foreach (var hex in hexes)
            {
                if (Digest.TryParse($"{algorithm}:{hex}", out var layer))
                    found.Add(new StoredBlob(layer, IsComplete(layer), AllocatedBytes(layer)));
            }
        }

        return found;
    }

    /// <summary>The whole blob is here.</summary>
    public bool IsComplete(Digest layer) => File.Exists(BlobPaths.Of(Directory, layer).Blob);

    /// <summary>Opens a blob that is here whole; null if it is not. The bytes were right when they came; whoever must be sure checks them.</summary>
    public FileStream? OpenComplete(Digest layer)
    {
        try
        {
            return new FileStream(BlobPaths.Of(Directory, layer).Blob, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Bytes a layer takes on disk, holes not counted.</summary>
    public long AllocatedBytes(Digest layer)
    {
        var paths = BlobPaths.Of(Directory, layer);
        return AllocatedBytes(paths.Blob) + AllocatedBytes(paths.Sparse) + paths.AllSpans().Sum(AllocatedBytes);
    }

    /// <summary>
    /// Throws out what is here of a layer. Whoever has it open reads on what they have (a file without a name); the
    /// space is free when they close it.
    /// </summary>
    public void Remove(Digest layer)
    {
        var paths = BlobPaths.Of(Directory, layer);
        lock (_gate)
        {
            if (_open.Remove(layer, out var file))
            {
                file.BecomeRemoved();
                foreach (var user in file.Users)
                    user.BecomeRemoved();
            }

            // The states go first: a sparse file without states is empty, states without a file are nothing.
            foreach (var path in paths.AllSpans().ToArray())
                File.Delete(path);
            File.Delete(paths.Sparse);
            File.Delete(paths.Blob);
        }
    }

    /// <summary>A whole, checked and durable blob gets its final name; the sparse one is not needed any more.</summary>
    internal void Adopt(Digest layer, string partialPath)
    {
        var paths = BlobPaths.Of(Directory, layer);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            File.Move(partialPath, paths.Blob, overwrite: true);
            if (_open.TryGetValue(layer, out var file))
            {
                file.BecomeComplete();
                foreach (var user in file.Users)
                    user.BecomeComplete(isSameFile: false);
            }

            RemoveSparse(paths);
        }

        Libc.SyncDirectory(paths.Directory);
    }

    /// <summary>A sparse file without holes, whose bytes are the layer, gets the name of a whole blob.</summary>
    internal bool TryComplete(LayerBlob blob, BlobFile file)
    {
        var paths = file.Paths;
        try
        {
            if (file.IsComplete)
                return true;
            if (!file.TryFlush())
                return false;
            lock (_gate)
            {
                if (_isDisposed || !_open.TryGetValue(blob.Layer, out var open) || open != file)
                    return false; // removed, or closed
                if (file.IsComplete)
                    return true;
                if (file.Length != blob.Spans.CompressedLength)
                    return false;
                File.Move(paths.Sparse, paths.Blob, overwrite: true);
                file.BecomeComplete();
                foreach (var user in file.Users)
                    user.BecomeComplete(isSameFile: true);
                RemoveSparse(paths);
            }

            Libc.SyncDirectory(paths.Directory);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NoteRefused(paths.Blob, e);
            return false;
        }
    }

    private static long AllocatedBytes(string path)
    {
        const int StatBlockBytes = 512; // whatever the filesystem's own block is: statx(2)
        var errno = Libc.TryGetStatus(path, out var status);
        return errno switch
        {
            Errno.None => status.Blocks * StatBlockBytes,
            Errno.ENOENT => 0,
            _ => throw new LinuxException(errno, "statx", path),
        };
    }

    private void RemoveLeftovers()
    {
        foreach (var algorithm in (string[])[Digest.Sha256Algorithm, Digest.Sha512Algorithm])
        {
            var directory = Path.Combine(Directory, algorithm);
            foreach (var path in System.IO.Directory.GetFiles(directory, "*" + BlobPaths.PartialSuffix))
                TryDelete(path);
            foreach (var path in System.IO.Directory.GetFiles(directory, "*" + BlobPaths.BlobSuffix))
                RemoveSparse(new BlobPaths(directory, Path.GetFileNameWithoutExtension(path)));
            foreach (var path in System.IO.Directory.GetFiles(directory, "*" + BlobPaths.SpansSuffix))
            {
                var hex = Path.GetFileName(path);
                if (!File.Exists(new BlobPaths(directory, hex[..hex.IndexOf('.', StringComparison.Ordinal)]).Sparse))
                    TryDelete(path);
            }
        }
    }

    private void RemoveSparse(BlobPaths paths)
    {
        foreach (var path in paths.AllSpans().ToArray())
            TryDelete(path);
        TryDelete(paths.Sparse);
    }

    private void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LayersLog.LeftoverStays(Logger, path, e.Message);
        }
    }
}
