using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.TestSupport.Soci;

// Where the real soci is: in the folder LAZYSNAP_TEST_SOCI names, or where tests/matrix/fetch-soci.sh has put it.
public static class SociInstallation
{
    public const string FolderVariable = "LAZYSNAP_TEST_SOCI";

    /// <summary>Null without the variable.</summary>
    public static string? Folder { get; } = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder
        ? Path.GetFullPath(folder)
        : null;

    /// <summary>A hosts file that knows the test registry by a name that does not look like loopback.</summary>
    public static string Hosts => $"127.0.0.1 localhost {TestCertificate.OtherName}\n";

    /// <summary>What fetch-soci.sh fetched; null if it never did.</summary>
    public static string? Fetched
    {
        get
        {
            var matrix = Environment.GetEnvironmentVariable("LAZYSNAP_TEST_MATRIX") is { Length: > 0 } set
                ? set
                : RepositoryRoot.Combine("artifacts", "matrix");
            var name = Path.Combine(matrix, ".soci");
            return File.Exists(name) ? Path.Combine(matrix, File.ReadAllText(name).Trim()) : null;
        }
    }

    public static string Program(string name)
    {
        var folder = Folder ?? Fetched
            ?? throw new InvalidOperationException($"{FolderVariable} is not set, and tests/matrix/fetch-soci.sh has fetched nothing");
        return Path.Combine(folder, name);
    }
}
