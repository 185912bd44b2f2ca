using LazySnapshotter.Linux;
using Spectre.Console;

namespace LazySnapshotter.Cli.Output;

// What the standard streams may be given. Escape sequences (colours, bars that move) only go to a terminal that understands
// them and whose user wants them; https://no-color.org, and TERM as emacs' shell and CI systems set it. Each stream is judged
// for itself: `lazysnap pull REF > file` still has its bars.
internal static class Terminal
{
    // Lines are not broken where no terminal shows them: a name in two pieces is found by no grep.
    private const int NoWidth = 1 << 16;
    private const int UsualWidth = 80;

    public static bool OutputHasEscapes => HasEscapes(Console.IsOutputRedirected);

    public static bool ErrorHasEscapes => HasEscapes(Console.IsErrorRedirected);

    public static int OutputWidth => Width(StandardStream.OutputDescriptor, Console.IsOutputRedirected);

    public static IAnsiConsole Output => Create(new(Console.Out, !Console.IsOutputRedirected, OutputWidth), OutputHasEscapes);

    public static IAnsiConsole Error => Create(
        new(Console.Error, !Console.IsErrorRedirected, Width(StandardStream.ErrorDescriptor, Console.IsErrorRedirected)), ErrorHasEscapes);

    private static int Width(int descriptor, bool isRedirected) => isRedirected ? NoWidth : Libc.TerminalWidth(descriptor) ?? UsualWidth;

    private static bool HasEscapes(bool isRedirected) =>
        !isRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    private static IAnsiConsole Create(TerminalOutput output, bool hasEscapes) =>
        AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = output,
            Ansi = hasEscapes ? AnsiSupport.Yes : AnsiSupport.No,
            // Left to detect them it would take an empty NO_COLOR, too, for a wish.
            ColorSystem = hasEscapes ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = hasEscapes ? InteractionSupport.Yes : InteractionSupport.No,
            // They would turn escapes on for CI systems by name.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
}
