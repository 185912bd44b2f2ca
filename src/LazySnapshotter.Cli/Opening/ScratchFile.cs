namespace LazySnapshotter.Cli.Opening;

// A file for the time of one command.
internal sealed class ScratchFile : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"lazysnap-{Guid.NewGuid():N}.lsi");

    public void Dispose() => File.Delete(Path);
}
