using System.CommandLine;
using LazySnapshotter.Daemon.Grpc;
using LazySnapshotter.Daemon.Pull;
using LazySnapshotter.Layers.Index;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli;

// Runs a command's work the same way everywhere: logging set up from the options, Ctrl-C as cancellation, and what
// goes wrong told in one line on standard error. The stack trace is for --log-level debug.
internal static partial class CommandRunner
{
    public const int FailedExitCode = 1;

    // 128 + SIGINT, as a shell reports it.
    private const int InterruptedExitCode = 130;

    public static void SetAction(this Command command, Func<ParseResult, ILoggerFactory, CancellationToken, Task<int>> work) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var loggers = LogOptions.CreateLoggers(parsed);
            try
            {
                return await work(parsed, loggers, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return InterruptedExitCode;
            }
            catch (Exception e) when (IsExpected(e))
            {
                await Console.Error.WriteLineAsync("lazysnap: " + Describe(e));
                var logger = loggers.CreateLogger("lazysnap");
                CommandFailed(logger, e);
                return FailedExitCode;
            }
        });

    // What the outside world does to us. Anything else is a bug and may show its stack trace.
    private static bool IsExpected(Exception e) =>
        e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException
            or UnsupportedLayerException or TimeoutException or NotSupportedException or OperationCanceledException or CommandException or PullException or GrpcException
        || (e is AggregateException aggregate && aggregate.InnerExceptions.All(IsExpected));

    private static string Describe(Exception e) => e is AggregateException { InnerExceptions.Count: > 0 } aggregate
        ? string.Join("; ", aggregate.InnerExceptions.Select(inner => inner.Message))
        : e.Message;

    [LoggerMessage(Level = LogLevel.Debug, Message = "The command failed")]
    private static partial void CommandFailed(ILogger logger, Exception exception);
}
