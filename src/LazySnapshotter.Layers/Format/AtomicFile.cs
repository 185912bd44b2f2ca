namespace LazySnapshotter.Layers.Format;

// A file that appears complete or not at all, also after a power cut: written beside its final name, flushed to the
// disk, renamed, and the rename flushed.
internal sealed class AtomicFile : IDisposable
{
    public const string TemporarySuffix = ".tmp";

    private readonly string? _path;
    private bool _committed;

    public AtomicFile(string path)
        : this(path, $"{path}.{Path.GetRandomFileName()}{TemporarySuffix}")
    {
    }

    private AtomicFile(string? path, string temporaryPath)
    {
        _path = path;
        TemporaryPath = temporaryPath;
        Stream = new FileStream(temporaryPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
    }

    public FileStream Stream { get; }

    public string TemporaryPath { get; }

    public string Directory => Path.GetDirectoryName(Path.GetFullPath(TemporaryPath))!;

    /// <summary>A file whose name is known only when it is complete.</summary>
    /// <param name="directory">Where it is until then.</param>
    public static AtomicFile In(string directory) => new(path: null, Path.Combine(directory, Path.GetRandomFileName() + TemporarySuffix));

    /// <summary>Gives a file its name that was made with one.</summary>
    public void Commit() => Commit(_path ?? throw new InvalidOperationException("the file has no name yet"));

    /// <param name="path">On the filesystem the file was made on.</param>
    public void Commit(string path)
    {
        Stream.Flush(flushToDisk: true);
        File.Move(TemporaryPath, path, overwrite: true);
        _committed = true;
        Linux.Libc.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_committed)
            File.Delete(TemporaryPath);
    }
}
