using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Images;

// The three real images, built from Debian packages on first use (a few minutes, as root) and cached outside of git; see
// tests/images/build. A failed build shows the end of the recipe's log.
public static class TestImages
{
    // Debian's mirror decides; the machine's own part is three minutes on two cores.
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(20);

    private static readonly Lazy<Task<TestImage>> PythonImage = new(() => GetAsync("python"));
    private static readonly Lazy<Task<TestImage>> QuirksImage = new(() => GetAsync("quirks"));
    private static readonly Lazy<Task<TestImage>> JavaImage = new(() => GetAsync("java"));

    /// <summary>python3 and numpy; four layers, the upper three without entries for directories that only gained a child.
    /// Its command prints numpy's version.</summary>
    public static Task<TestImage> Python => PythonImage.Value;

    /// <summary>A web server and everything odd that a tar or a gzip stream may hold; seven layers.</summary>
    public static Task<TestImage> Quirks => QuirksImage.Value;

    /// <summary>git and a Java runtime, one layer of more than 100 MB compressed.</summary>
    public static Task<TestImage> Java => JavaImage.Value;

    public static async Task<TestImage> GetAsync(string name)
    {
        var result = await ProcessRunner.RunAsync(RepositoryRoot.Combine("tests", "images", "build"), [name], BuildTimeout);
        var line = result.Checked().Output.Trim();
        return new TestImage(name, line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
    }
}
