using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Cli.Tests;

// Users without a place of their own: nobody, whose home the user database says to be /nonexistent.
public sealed class HomeTests : ProgramTest
{
    [Theory]
    [InlineData("-u HOME -u XDG_CACHE_HOME")]
    [InlineData("-u XDG_CACHE_HOME HOME=")]
    [InlineData("-u XDG_CACHE_HOME HOME=/nonexistent")]
    [InlineData("-u XDG_CACHE_HOME HOME=here")]
    [InlineData("-u XDG_CACHE_HOME HOME=.")]
    [InlineData("-u XDG_CACHE_HOME HOME=/proc")]
    [InlineData("HOME=/nonexistent XDG_CACHE_HOME=here")]
    [InlineData("HOME=/nonexistent XDG_CACHE_HOME=/proc/1/x")]
    public async Task Without_a_home_an_image_can_be_looked_at_and_nothing_is_left_behind(string environment)
    {
        var listed = await AsNobodyAsync(environment, "ls $SMALL");
        Assert.Equal((0, "big\netc\n"), (listed.ExitCode, listed.Output));
        var shown = await AsNobodyAsync(environment, "cat $SMALL /etc/os-release");
        Assert.Equal((0, "ID=small\n"), (shown.ExitCode, shown.Output));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(Directory.Combine("cwd")));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(Directory.Combine("tmp")));

        // What is asked for here would be lost with the command.
        var built = await AsNobodyAsync(environment, "index build $SMALL");
        Assert.Equal(1, built.ExitCode);
        Assert.Contains("--root DIR", built.Error, StringComparison.Ordinal);
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(Directory.Combine("cwd")));
    }

    [Theory]
    [InlineData("-u XDG_CACHE_HOME HOME=$D/cwd", "cwd/.cache/lazysnap")]
    [InlineData("HOME=/nonexistent XDG_CACHE_HOME=$D/cwd", "cwd/lazysnap")]
    [InlineData("HOME=$D/cwd XDG_CACHE_HOME=here", "cwd/.cache/lazysnap")]
    public async Task Who_has_a_home_has_a_cache_in_it(string environment, string cache)
    {
        var built = await AsNobodyAsync(environment, "index build $SMALL");
        Assert.Equal((0, ""),
            (built.ExitCode, string.Concat(built.Error.Split('\n').Where(line => line.StartsWith("lazysnap:", StringComparison.Ordinal)))));
        Assert.Single(IndexFiles.All(Directory.Combine(cache)));
    }

    private Task<ProcessResult> AsNobodyAsync(string environment, string command) => ShellAsync(
        $"mkdir -p $D/cwd $D/tmp && chown 65534:65534 $D/cwd $D/tmp && cd $D/cwd && TMPDIR=$D/tmp setpriv --reuid 65534 --regid 65534 " +
            $"--clear-groups env {environment} $LZ {command}");
}
