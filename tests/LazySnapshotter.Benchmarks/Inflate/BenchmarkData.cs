using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Benchmarks.Inflate;

// The large layers that data/build makes on first use (minutes) and keeps.
internal static class BenchmarkData
{
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(20);

    /// <param name="compressors">As data/build knows them.</param>
    public static async Task<IReadOnlyList<(string Name, string Path)>> BuildAsync(params string[] compressors)
    {
        var build = RepositoryRoot.Combine("tests", "LazySnapshotter.Benchmarks", "data", "build");
        var lines = (await ProcessRunner.RunAsync(build, compressors, BuildTimeout))
            .Checked().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split(' ', 2)).Select(parts => (parts[0], parts[1]))];
    }
}
