namespace LazySnapshotter.Linux.Tests;

// A directory for one test.
internal sealed class Scratch : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("linux-test-");

    public string At(string name) => Path.Combine(_directory.FullName, name);

    public LinuxPath At(ReadOnlySpan<byte> name) => new LinuxPath(_directory.FullName).Append(name);

    public void Dispose() => _directory.Delete(recursive: true);
}
