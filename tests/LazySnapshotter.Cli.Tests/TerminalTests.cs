using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Cli.Tests;

// Escape sequences go to terminals, and only where they are wanted. script(1) makes the terminal.
public sealed class TerminalTests : ProgramTest
{
    private const char Escape = '\x1b';

    [Theory]
    [InlineData("doctor --root $D/root --containerd $D/none")]
    [InlineData("registry check $SMALL")]
    [InlineData("index build --root $D/root $SMALL")]
    [InlineData("copy $SMALL ${SMALL%:1}:2")]
    [InlineData("--help")]
    public async Task Nothing_is_coloured_in_a_pipe(string command)
    {
        // The variables are those by which terminal libraries recognize CI systems that show colours.
        var piped = await ShellAsync($"GITHUB_ACTIONS=true CI=true COLORTERM=truecolor CLICOLOR_FORCE=1 $LZ {command}");
        Assert.NotEmpty(piped.Output);
        Assert.DoesNotContain(Escape, piped.Output);
        Assert.DoesNotContain(Escape, piped.Error);
    }

    [Theory]
    [InlineData("doctor --root $D/root --containerd $D/none")]
    [InlineData("registry check $SMALL")]
    [InlineData("index build --root $D/root $SMALL")]
    public async Task A_terminal_has_its_colours_unless_it_cannot_show_them_or_its_user_wants_none(string command)
    {
        Assert.Contains(Escape, (await OnTerminalAsync(command)).Output);
        Assert.DoesNotContain(Escape, (await OnTerminalAsync(command, "NO_COLOR=1")).Output);
        Assert.DoesNotContain(Escape, (await OnTerminalAsync(command, "TERM=dumb")).Output);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("ls --root $D/root $SMALL")]
    [InlineData("ls --root $D/root $SMALL /none")]
    [InlineData("copy $SMALL ${SMALL%:1}:2")]
    public async Task No_command_greets_a_terminal_whose_user_wants_no_escapes(string command)
    {
        var shown = await OnTerminalAsync(command, "NO_COLOR=1");
        Assert.NotEmpty(shown.Output);
        Assert.DoesNotContain(Escape, shown.Output);
    }

    [Fact]
    public async Task Each_stream_is_judged_for_itself()
    {
        // The bars are on standard error, the result on standard output.
        var bars = await OnTerminalAsync("index build --root $D/root $SMALL >$D/out");
        Assert.Contains(Escape, bars.Output);
        Assert.DoesNotContain(Escape, await File.ReadAllTextAsync(Directory.Combine("out")));

        await OnTerminalAsync("index build --root $D/other $SMALL 2>$D/err");
        var lines = await File.ReadAllTextAsync(Directory.Combine("err"));
        Assert.Contains("reading", lines, StringComparison.Ordinal);
        Assert.DoesNotContain(Escape, lines);
    }

    [Fact]
    public async Task Tables_in_a_pipe_are_as_wide_as_what_is_in_them()
    {
        var doctor = await ShellAsync("COLUMNS=20 $LZ doctor --root " +
            "$D/a-directory-with-a-name-that-does-not-fit-into-eighty-columns/and-another-one --containerd $D/none");
        Assert.Contains(
            "a-directory-with-a-name-that-does-not-fit-into-eighty-columns/and-another-one", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("containerd cannot be reached on " + Directory.Combine(
            "none") + ": no such socket. Is containerd running, and is this its socket?", doctor.Output, StringComparison.Ordinal);

        var check = await ShellAsync("$LZ registry check $SMALL");
        Assert.All(check.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[2..^2], line =>
            Assert.Matches("^(ok|costs|missing|failed) ", line));
    }

    private Task<ProcessResult> OnTerminalAsync(string command, string variables = "NO_COLOR=") =>
        ShellAsync($"export {variables}; script -qec \"$LZ {command.Replace("\"", "\\\"", StringComparison.Ordinal)}\" /dev/null");
}
