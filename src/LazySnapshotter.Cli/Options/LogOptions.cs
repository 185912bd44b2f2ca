using System.CommandLine;
using LazySnapshotter.Cli.Output;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Cli.Options;

// --log-format and --log-level, valid for every command. Logs go to standard error: standard output belongs to what was asked for.
internal static class LogOptions
{
    private static readonly Option<string> _format = new("--log-format")
    {
        Description = "How log lines are written to standard error: text or json",
        DefaultValueFactory = _ => "text",
        Recursive = true,
    };

    private static readonly Option<string?> _level = new("--log-level")
    {
        Description = "The least severe level that is logged: trace, debug, information, warning or error [default: information for " +
            "serve, none otherwise]",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        _format.AcceptOnlyFromAmong("text", "json");
        _level.AcceptOnlyFromAmong("trace", "debug", "information", "warning", "error");
        root.Options.Add(_format);
        root.Options.Add(_level);
    }

    public static ILoggerFactory CreateLoggers(ParseResult parsed)
    {
        // The daemon's log is its user interface; a command's log is wanted only when asked for.
        var unasked = parsed.CommandResult.Command.Name == "serve" ? LogLevel.Information : LogLevel.Critical;
        var level = parsed.GetValue(_level) is { } chosen ? Enum.Parse<LogLevel>(chosen, ignoreCase: true) : unasked;
        return Loggers.ToStandardError(parsed.GetValue(_format) == "json", level);
    }
}
