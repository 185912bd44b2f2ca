namespace LazySnapshotter.Fuzz.Targets;

// For parsers that want a file: one in memory where there is such a place.
internal sealed class ScratchFile(string extension) : IDisposable
{
    private static int _count;

    public string Path { get; } = System.IO.Path.Combine(
        Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath(),
        $"lazysnap-fuzz-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}{extension}");

    public void Dispose() => File.Delete(Path);
}
