using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using LazySnapshotter.Cli.Commands;
using LazySnapshotter.Cli.Options;
using LazySnapshotter.Cli.Output;

namespace LazySnapshotter.Cli;

// The program's command tree. Exit codes: 0 done, 1 failed (one line on standard error says what and why), 2 wrong usage,
// 130 interrupted, 141 the reader of standard output has left.
internal static class CommandLine
{
    private const int UsageExitCode = 2;

    // Behind it everything is an argument (POSIX, utility syntax guideline 10).
    private const string EndOfOptions = "--";

    // Calls under way are answered and mounts taken down before the process ends.
    private static readonly TimeSpan _shutdownPatience = TimeSpan.FromSeconds(30);

    // An argument that begins with @ is no file of further arguments.
    private static readonly ParserConfiguration _parsing = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            var parsed = CreateRoot().Parse(args, _parsing);
            var mistakes = Mistakes(parsed, args);
            return mistakes.Count > 0 ? ReportUsage(parsed, mistakes) : await parsed.InvokeAsync(Invocation());
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    // The library's own handler shows stack traces.
    private static InvocationConfiguration Invocation() => new()
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = _shutdownPatience,
        Output = Console.Out,
        Error = Console.Error,
    };

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand(
            "Containers start before their layers are on the node: a lazy-loading containerd snapshotter for unmodified images.")
        {
            ServeCommand.Create(),
            PullCommand.Create(),
            MountCommand.Create(),
            LsCommand.Create(),
            CatCommand.Create(),
            IndexCommand.Create(),
            CopyCommand.Create(),
            RegistryCommand.Create(),
            DoctorCommand.Create(),
        };

        LogOptions.AddTo(root);
        HostsOption.AddTo(root);
        ((HelpAction)root.Options.OfType<HelpOption>().Single().Action!).MaxWidth = Terminal.OutputWidth;
        return root;
    }

    // The library takes an option it does not know for an argument, and then finds fault with the word behind it.
    private static List<string> Mistakes(ParseResult parsed, string[] args)
    {
        var options = args.TakeWhile(word => word != EndOfOptions).Where(word => word.Length > 1 && word[0] == '-').ToHashSet();
        var unknown = Arguments(parsed).Concat(parsed.UnmatchedTokens).Where(options.Contains).Distinct().ToList();
        return unknown.Count > 0
            ? unknown.ConvertAll(option => $"unknown option {option}")
            : [.. parsed.Errors.Select(error => PlainWords.Of(error.Message)).Distinct()];
    }

    private static IEnumerable<string> Arguments(ParseResult parsed) => parsed.CommandResult.Children
        .OfType<ArgumentResult>()
        .SelectMany(argument => argument.Tokens)
        .Select(token => token.Value);

    private static int ReportUsage(ParseResult parsed, IEnumerable<string> mistakes)
    {
        var command = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult part; result = part.Parent)
            command.Insert(0, part.Command is RootCommand ? "lazysnap" : part.Command.Name);
        var said = string.Join("; ", mistakes.Select(mistake => mistake.TrimEnd('.')));
        Console.Error.WriteLine($"lazysnap: {said}; try '{string.Join(' ', command)} --help'");
        return UsageExitCode;
    }
}
