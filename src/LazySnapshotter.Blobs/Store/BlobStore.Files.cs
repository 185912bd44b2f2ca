using LazySnapshotter.Linux;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Blobs.Store;

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
                .Where(path => path.EndsWith(BlobPaths.BlobSuffix, StringComparison.Ordinal)
                    || path.EndsWith(BlobPaths.SparseSuffix, StringComparison.Ordinal))
                .Select(HexOf)
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

    /// <summary>
    /// Opens a blob that is here whole; null if it is not. The bytes were right when they came; whoever must be sure checks them.
    /// </summary>
    public FileStream? OpenComplete(Digest layer)
    {
        try
        {
            return new FileStream(
                BlobPaths.Of(Directory, layer).Blob, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
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
        return AllocatedBytes(paths.Blob) + paths.AllSparse().Sum(AllocatedBytes);
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
            foreach (var blob in OpenOf(layer))
                Forget(blob);
            foreach (var path in paths.AllSparse())
                File.Delete(path);
            File.Delete(paths.Blob);
        }
    }

    /// <summary>Throws out what was fetched by one of a layer's indexes; a whole blob stays.</summary>
    /// <inheritdoc cref="Remove(Digest)"/>
    public void Remove(Digest layer, string indexId)
    {
        var paths = BlobPaths.Of(Directory, layer);
        lock (_gate)
        {
            if (_open.GetValueOrDefault((layer, indexId)) is { IsComplete: false } blob)
                Forget(blob);
            File.Delete(paths.Spans(indexId));
            File.Delete(paths.Sparse(indexId));
        }
    }

    private void Forget(LayerBlob blob)
    {
        _open.Remove((blob.Layer, blob.IndexId));
        blob.File.BecomeRemoved();
        blob.BecomeRemoved();
    }

    /// <summary>A whole, checked and durable blob gets its final name; the sparse one is not needed any more.</summary>
    internal void Adopt(Digest layer, string partialPath)
    {
        var paths = BlobPaths.Of(Directory, layer);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            File.Move(partialPath, paths.Blob, overwrite: true);
            BecomeComplete(layer, sameFile: null);
            RemoveSparse(paths);
        }

        Libc.SyncDirectory(paths.Directory);
    }

    /// <summary>A sparse file without holes, whose bytes are the layer, gets the name of a whole blob.</summary>
    internal bool TryComplete(LayerBlob blob)
    {
        var file = blob.File;
        var paths = file.Paths;
        try
        {
            if (file.IsComplete)
                return true;
            if (!file.TryFlush())
                return false;
            lock (_gate)
            {
                if (_isDisposed || _open.GetValueOrDefault((blob.Layer, blob.IndexId)) != blob)
                    return false; // removed, or closed
                if (file.IsComplete)
                    return true;
                if (file.Length != blob.Spans.CompressedLength)
                    return false;
                File.Move(paths.Sparse(blob.IndexId), paths.Blob, overwrite: true);
                BecomeComplete(blob.Layer, sameFile: blob);
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

    // Under the gate.
    private void BecomeComplete(Digest layer, LayerBlob? sameFile)
    {
        foreach (var blob in OpenOf(layer))
        {
            blob.File.BecomeComplete();
            blob.BecomeComplete(isSameFile: blob == sameFile);
        }
    }

    private static string HexOf(string path)
    {
        var name = Path.GetFileName(path);
        return name[..name.IndexOf('.', StringComparison.Ordinal)];
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
                RemoveSparse(new BlobPaths(directory, HexOf(path)));
            foreach (var path in System.IO.Directory.GetFiles(directory, "*" + BlobPaths.SpansSuffix))
                RemoveUnlessPaired(path);
            foreach (var path in System.IO.Directory.GetFiles(directory, "*" + BlobPaths.SparseSuffix))
            {
                if (!File.Exists(Path.ChangeExtension(path, BlobPaths.SpansSuffix)))
                    TryDelete(path);
            }
        }
    }

    private void RemoveSparse(BlobPaths paths)
    {
        foreach (var path in paths.AllSparse())
            TryDelete(path);
    }

    // A former version had one sparse file a layer, for whichever index: it is this one's if there is no other.
    private void RemoveUnlessPaired(string spans)
    {
        var sparse = Path.ChangeExtension(spans, BlobPaths.SparseSuffix);
        var former = Path.Combine(Path.GetDirectoryName(spans)!, HexOf(spans) + BlobPaths.SparseSuffix);
        if (File.Exists(former))
            File.Move(former, sparse, overwrite: true);
        if (!File.Exists(sparse))
            TryDelete(spans);
    }

    private void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BlobsLog.LeftoverStays(Logger, path, e.Message);
        }
    }
}
