namespace LazySnapshotter.Layers.Index;

// A file that appears complete or not at all: written beside its final name, flushed to the disk, then renamed. The
// directory itself is not flushed: after a power cut the file may be missing, which costs building it again, but
// it is never half there.
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
    }

    public void Dispose()
    {
        Stream.Dispose();
        if (!_committed)
            File.Delete(_temporaryPath);
    }
}
