namespace LazySnapshotter.TestSupport.Processes;

// Where the clone lies whose tests are running: scripts, caches and the built program are found from here.
public static class RepositoryRoot
{
    private const string Marker = "LazySnapshotter.sln";

    public static string Path { get; } = Find();

    public static string Combine(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, Marker)))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"no {Marker} above {AppContext.BaseDirectory}");
    }
}
