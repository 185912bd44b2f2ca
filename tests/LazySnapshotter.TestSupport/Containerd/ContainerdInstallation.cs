using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// Which containerd the tests run: the machine's, or the one in the folder LAZYSNAP_TEST_CONTAINERD names (with its own ctr
// and shim; `make test-matrix` sets it). runc is always the machine's.
public static class ContainerdInstallation
{
    public const string FolderVariable = "LAZYSNAP_TEST_CONTAINERD";

    private static readonly string? Folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder ? folder : null;

    public static string Daemon { get; } = Program("containerd");

    public static string Client { get; } = Program("ctr");

    /// <summary>The folder goes first in PATH: containerd looks for its shim there.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment { get; } = Folder is null
        ? new Dictionary<string, string>()
        : new Dictionary<string, string> { ["PATH"] = Folder + ":" + Environment.GetEnvironmentVariable("PATH") };

    /// <summary>For example 1.6.20; Debian's suffixes left out.</summary>
    public static async Task<Version> GetVersionAsync()
    {
        // containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3
        var output = (await ProcessRunner.RunAsync(Daemon, ["--version"])).Checked().Output;
        var version = output.Split(' ')[2].TrimStart('v');
        return Version.Parse(version.Split('~', '-', '+')[0]);
    }

    private static string Program(string name)
    {
        if (Folder is null)
            return name;
        var program = Path.Combine(Folder, name);
        return File.Exists(program) ? program : throw new FileNotFoundException($"{FolderVariable} names a folder without {name}", program);
    }
}
