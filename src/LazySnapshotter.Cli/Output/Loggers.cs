using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace LazySnapshotter.Cli.Output;

// Log lines on standard error, for a person (one line each) or for a log collector (JSON, one object a line).
public static class Loggers
{
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static ILoggerFactory ToStandardError(bool json, LogLevel level) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(level);
        // A line or more for each call, and as an error what is an answer ("no such snapshot"), is for who looks for it.
        if (level > LogLevel.Debug)
        {
            builder.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
            builder.AddFilter("Grpc", LogLevel.Warning);
            // That a server cannot start is thrown as well, and told once.
            builder.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        }

        builder.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = json ? ConsoleFormatterNames.Json : ConsoleFormatterNames.Simple;
        });
        if (json)
        {
            builder.AddJsonConsole(format =>
            {
                format.TimestampFormat = TimestampFormat.TrimEnd();
                format.UseUtcTimestamp = true;
            });
        }
        else
        {
            builder.AddSimpleConsole(format =>
            {
                format.SingleLine = true;
                format.TimestampFormat = TimestampFormat;
                format.UseUtcTimestamp = true;
                format.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    });
}
