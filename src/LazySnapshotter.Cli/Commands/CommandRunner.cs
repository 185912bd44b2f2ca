using System.CommandLine;
using LazySnapshotter.Cli.Doctor;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Commands;

// Runs a command's work the same way everywhere: logging set up from the options, Ctrl-C as cancellation, and whatever goes
// wrong told by Failure.
internal static class CommandRunner
{
    /// <param name="needsOpenSsl">All but `doctor` do.</param>
    public static void SetAction(
        this Command command, Func<ParseResult, ILoggerFactory, CancellationToken, Task<int>> work, bool needsOpenSsl = true) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // The library begins to listen for SIGTERM and Ctrl-C when its action waits for the first time. Before that they would
            // end the process as it stands, with its mounts.
            await Task.Yield();
            using var loggers = LogOptions.CreateLoggers(parsed);
            try
            {
                if (needsOpenSsl)
                    OpenSslLibrary.Require();
                return await work(parsed, loggers, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return Failure.InterruptedExitCode;
            }
            catch (Exception e)
            {
                return Failure.Report(e, loggers);
            }
        });
}
