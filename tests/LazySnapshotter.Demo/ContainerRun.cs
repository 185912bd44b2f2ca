using System.Diagnostics;
using System.Security.Cryptography;
using LazySnapshotter.TestSupport.Containerd;

namespace LazySnapshotter.Demo;

// A container run to its end with ctr, with the moments at which its first output came out of ctr and ctr ended.
internal sealed record ContainerRun(string Output, long FirstOutputAt, long EndedAt)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task<ContainerRun> RunAsync(ContainerdProcess containerd, string reference, string snapshotter)
    {
        var start = new ProcessStartInfo(ContainerdInstallation.Client)
        {
            ArgumentList =
            {
                "--address", containerd.Address, "--namespace", containerd.Namespace,
                "run", "--rm", "--snapshotter", snapshotter, reference, "c-" + RandomNumberGenerator.GetHexString(8, lowercase: true),
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in ContainerdInstallation.ProcessEnvironment)
            start.Environment[name] = value;

        using var deadline = new CancellationTokenSource(Deadline);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(deadline.Token);
            var firstOutputAt = Stopwatch.GetTimestamp();
            var rest = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            var endedAt = Stopwatch.GetTimestamp();
            return process.ExitCode == 0
                ? new ContainerRun($"{line}\n{rest}".Trim(), firstOutputAt, endedAt)
                : throw new InvalidOperationException($"ctr run {reference} ended with {process.ExitCode}\n{await error}");
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"ctr run {reference} did not end within {Deadline.TotalSeconds:0} s", e);
        }
    }
}
