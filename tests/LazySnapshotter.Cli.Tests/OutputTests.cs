namespace LazySnapshotter.Cli.Tests;

// What standard output does not take: never exit code 0, always one line.
public sealed class OutputTests : ProgramTest
{
    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("index build --help")]
    [InlineData("ls --root $D/root $SMALL")]
    [InlineData("ls -lR --root $D/root $MANY")]
    [InlineData("cat --root $D/root $SMALL /etc/os-release")]
    [InlineData("cat --root $D/root $SMALL /big")]
    [InlineData("index build --root $D/root $SMALL")]
    [InlineData("index build --root $D/root --json $SMALL")]
    [InlineData("index list $SMALL")]
    [InlineData("index list --json $SMALL")]
    [InlineData("index rm $SMALL")]
    [InlineData("copy $SMALL ${SMALL%:1}:2")]
    [InlineData("registry check $SMALL")]
    [InlineData("registry check --json $SMALL")]
    [InlineData("doctor --root $D/root --containerd $D/none")]
    public async Task Output_on_a_full_device_and_closed_output_are_errors_of_one_line(string command)
    {
        var full = await ShellAsync($"$LZ {command} >/dev/full");
        Assert.Equal(1, full.ExitCode);
        Assert.Equal("lazysnap: standard output: No space left on device", Assert.Single(Complaints(full.Error)));

        var closed = await ShellAsync($"$LZ {command} >&-");
        Assert.Equal(1, closed.ExitCode);
        Assert.Equal("lazysnap: standard output: it is closed", Assert.Single(Complaints(closed.Error)));
    }

    [Fact]
    public async Task Output_of_index_show_and_verify_on_a_full_device_is_an_error()
    {
        await File.WriteAllBytesAsync(Directory.Combine("layer.tar"), new byte[10240]);
        Assert.Equal(0, (await ShellAsync("$LZ index build --blob $D/layer.tar -o $D/x.lsi")).ExitCode);
        foreach (var command in new[] { "show $D/x.lsi", "show --json $D/x.lsi", "verify $D/x.lsi --blob $D/layer.tar",
            "verify --json $D/x.lsi --blob $D/layer.tar" })
        {
            Assert.Equal(0, (await ShellAsync($"$LZ index {command} >/dev/null")).ExitCode);
            var full = await ShellAsync($"$LZ index {command} >/dev/full");
            Assert.Equal(1, full.ExitCode);
            Assert.Single(Complaints(full.Error));
        }
    }

    [Theory]
    [InlineData("ls -lR --root $D/root $MANY")]
    [InlineData("cat --root $D/root $SMALL /big")]
    public async Task A_reader_that_leaves_ends_the_command_quietly_as_SIGPIPE_would(string command)
    {
        Assert.Equal(0, (await ShellAsync($"$LZ {command} >/dev/null 2>$D/first")).ExitCode);
        var piped = await ShellAsync($"$LZ {command} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}");
        Assert.Equal((141, ""), (piped.ExitCode, piped.Error));
    }

    [Fact]
    public async Task All_of_a_large_output_comes_through_a_slow_nonblocking_pipe()
    {
        // The reader makes the pipe's other end non-blocking, which both ends of one description share.
        const string reader = "import os,sys,time\ntime.sleep(1)\nn=0\nwhile True:\n b=os.read(0,65536)\n if not b: break\n n+=len(b); " +
            "time.sleep(.001)\nprint(n)";
        await File.WriteAllTextAsync(Directory.Combine("reader.py"), reader);
        const string unblock = "import fcntl,os,sys; fcntl.fcntl(1,fcntl.F_SETFL,fcntl.fcntl(1,fcntl.F_GETFL)|os.O_NONBLOCK); " +
            "os.execv(sys.argv[1],sys.argv[1:])";
        await File.WriteAllTextAsync(Directory.Combine("unblock.py"), unblock);
        var read = await ShellAsync("set -o pipefail; python3 $D/unblock.py $LZ cat --root $D/root $SMALL /big | python3 $D/reader.py");
        Assert.Equal((0, BigLength.ToString()), (read.ExitCode, read.Output.Trim()));
    }

    [Fact]
    public async Task A_standard_error_that_takes_nothing_changes_no_result()
    {
        foreach (var error in new[] { "2>/dev/full", "2>&-" })
        {
            var listed = await ShellAsync($"$LZ ls --root $D/{error.Length} $SMALL {error}");
            Assert.Equal((0, "big\netc\n"), (listed.ExitCode, listed.Output));
            Assert.Equal(1, (await ShellAsync($"$LZ ls --root $D/root $SMALL /none {error}")).ExitCode);
            Assert.Equal(1, (await ShellAsync($"$LZ ls --root $D/root $SMALL >/dev/full {error}")).ExitCode);
            Assert.Equal(2, (await ShellAsync($"$LZ nonsense {error}")).ExitCode);
        }
    }

    private static IEnumerable<string> Complaints(string error) =>
        error.Split('\n').Where(line => line.StartsWith("lazysnap:", StringComparison.Ordinal));
}
