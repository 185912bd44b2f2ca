using System.Diagnostics;
using System.Globalization;

namespace LazySnapshotter.Fuse.Tests;

// Runs other programs on a mount: what they do there (exec, mmap, being killed) must not happen in the process that
// serves the mount.
internal static class Tool
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs to the end and gives back what was printed, and how it ended.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Timeout);
        return (process.ExitCode, await output + await errors);
    }

    public static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    public static Task SignalAsync(Process process, string signal) =>
        RunAsync("kill", "-" + signal, process.Id.ToString(CultureInfo.InvariantCulture));

    public static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Timeout;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "the condition did not come true");
            await Task.Delay(5);
        }
    }
}
