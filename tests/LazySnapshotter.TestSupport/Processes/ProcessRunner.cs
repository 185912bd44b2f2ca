using System.Diagnostics;

namespace LazySnapshotter.TestSupport.Processes;

// Runs a program to its end and collects what it writes. Nothing in a test may hang for ever: every run has a deadline,
// after which the program and all it started are killed and the test fails with the output so far.
public static class ProcessRunner
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);

    public static async Task<ProcessResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancellationToken = default)
    {
        using var process = new Process { StartInfo = CreateStartInfo(program, arguments, environment) };
        var commandLine = Describe(process.StartInfo);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout ?? DefaultTimeout);
        var watch = Stopwatch.StartNew();
        process.Start();
        process.StandardInput.Close();

        // Both at once: a program that fills one pipe while we wait for the other would never end.
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(deadline.Token);

            // A daemon the program left behind may hold the pipes open; that is not the program's end.
            await Task.WhenAll(output, error).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            await Task.WhenAny(Task.WhenAll(output, error), Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None));
            throw new TimeoutException(
                $"{commandLine}\ndid not end within {watch.Elapsed.TotalSeconds:F0} s\n{SoFar(output)}{SoFar(error)}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new ProcessResult(commandLine, process.ExitCode, await output, await error, watch.Elapsed);
    }

    internal static ProcessStartInfo CreateStartInfo(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return start;
    }

    internal static string Describe(ProcessStartInfo start) => $"$ {start.FileName} {string.Join(' ', start.ArgumentList)}";

    private static string SoFar(Task<string> text) => text.IsCompletedSuccessfully ? text.Result : "";
}
