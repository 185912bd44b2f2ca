using System.Diagnostics;

namespace LazySnapshotter.Layers.Tests.Index;

// Runs a program of the system: real tar and gzip make the layers these tests read.
internal static class Tool
{
    public static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(
            process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{output.Result}{error}");
    }

    public static void Shell(string script) => Run("/bin/bash", "-euc", script);
}
