namespace LazySnapshotter.Layers.Tests.Index;

// A directory of one test, gone with it.
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("layers-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Tool.Run("rm", "-rf", Path); // knows names that are not UTF-8, which .NET cannot delete
}
