using System.Diagnostics;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Soci;

namespace LazySnapshotter.Demo;

// Runs this program once more in a mount namespace of its own, in which the hosts file knows the test registry by a name
// that is not loopback: clients treat loopback specially. The machine's own hosts file is not touched.
internal static class HostsNamespace
{
    private const string InsideVariable = "LAZYSNAP_DEMO_INSIDE";

    public static bool IsInside => Environment.GetEnvironmentVariable(InsideVariable) is not null;

    /// <returns>The exit code.</returns>
    public static async Task<int> RunInsideAsync(string[] arguments)
    {
        await using var directory = TestDirectory.Create();
        var hosts = directory.Combine("hosts");
        await File.WriteAllTextAsync(hosts, SociInstallation.Hosts);
        string[] inside = ["--mount", "--propagation", "private", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts,
            Environment.ProcessPath!];
        var start = new ProcessStartInfo("unshare", [.. inside, .. arguments]) { Environment = { [InsideVariable] = "1" } };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
