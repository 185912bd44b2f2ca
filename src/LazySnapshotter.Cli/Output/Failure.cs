using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Layers;
using LazySnapshotter.Snapshots.Metadata;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Output;

// The one place where an exception becomes what a person sees: one line on standard error, and an exit code. The stack trace
// is for --log-level debug.
internal static partial class Failure
{
    public const int ExitCode = 1;

    // 128 + SIGINT, as a shell reports it.
    public const int InterruptedExitCode = 130;

    // 128 + SIGPIPE, as a shell reports a program that the signal ended. The signal itself is not raised: it would leave behind
    // what is cleaned up on the way out, mounts and temporary files.
    public const int ReaderIsGoneExitCode = 141;

    /// <returns>The exit code.</returns>
    public static int Report(Exception exception, ILoggerFactory? loggers = null)
    {
        if (loggers?.CreateLogger("lazysnap") is { } logger)
            CommandFailed(logger, exception);
        if (All(exception).OfType<OutputException>().FirstOrDefault() is { ReaderIsGone: true })
            return ReaderIsGoneExitCode;
        Console.Error.WriteLine("lazysnap: " + Describe(exception));
        return ExitCode;
    }

    /// <summary>In one line.</summary>
    public static string Describe(Exception exception)
    {
        var causes = All(exception).ToList();
        var text = PlainWords.Of(string.Join("; ", causes.Select(Message).Distinct()));
        return causes.TrueForAll(IsExpected) ? text : $"internal error: {text} (--log-level debug says where)";
    }

    // What the outside world does to us. Anything else is a bug, and says so.
    private static bool IsExpected(Exception e) =>
        e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException or UnsupportedLayerException
            or TimeoutException or NotSupportedException or OperationCanceledException or CommandException or OutputException
            or PullException or ContainerdException or MetadataException or HttpRequestException;

    // Wrappers that say nothing of their own are looked through.
    private static IEnumerable<Exception> All(Exception e) => e switch
    {
        AggregateException { InnerExceptions.Count: > 0 } aggregate => aggregate.InnerExceptions.SelectMany(All),
        TypeInitializationException { InnerException: { } inner } => All(inner),
        _ => [e],
    };

    // "…, see inner exception" sends a person where only a programmer gets.
    private static string Message(Exception e)
    {
        const string elsewhere = ", see inner exception.";
        var cause = e;
        while (cause.Message.Contains(elsewhere, StringComparison.Ordinal) && cause.InnerException is { } inner)
            cause = inner;
        return e.Message.Replace(elsewhere, cause == e ? "" : ": " + cause.Message, StringComparison.Ordinal);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The command failed")]
    private static partial void CommandFailed(ILogger logger, Exception exception);
}
