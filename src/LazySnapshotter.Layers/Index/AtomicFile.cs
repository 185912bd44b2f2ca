namespace LazySnapshotter.Layers.Index;

// A file that appears complete or not at all, also after a power cut: written beside its final name, flushed to the
// disk, renamed, and the rename flushed.
internal sealed class AtomicFile : IDisposable
{
    public const string TemporarySuffix = ".tmp";

    private readonly string _path;
    private readonly string _temporaryPath;
    private bool _committed;

    public AtomicFile(string path)
    {
        _path = path;
        _temporaryPath = $"{path}.{Path.GetRandomFileName()}{TemporarySuffix}";
        Stream = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
    }

    public FileStream Stream { get; }

    public string TemporaryPath => _temporaryPath;

    public void Commit()
    {
        Stream.Flush(flushToDisk: true);
        File.Move(_temporaryPath, _path, overwrite: true);
        _committed = true;
        Linux.Libc.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_committed)
            File.Delete(_temporaryPath);
    }
}
