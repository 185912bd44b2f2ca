using System.Text;
using Spectre.Console;

namespace LazySnapshotter.Cli.Output;

// A standard stream as Spectre writes to it. Its own class asks .NET's console for the width, which greets the terminal with
// escape sequences of its own.
internal sealed class TerminalOutput(TextWriter writer, bool isTerminal, int width) : IAnsiConsoleOutput
{
    // Only what moves up and down on the screen looks at it, and that has far fewer lines.
    private const int UsualHeight = 24;

    public TextWriter Writer => writer;

    public bool IsTerminal => isTerminal;

    public int Width => width;

    public int Height => UsualHeight;

    public void SetEncoding(Encoding encoding)
    {
    }
}
