namespace LazySnapshotter.Cli.Tests;

// What a person reads who gave a wrong argument: one line that says what is wrong with which argument. Exit code 1; 2 where the
// command itself is not understood.
public sealed class MessageTests : ProgramTest
{
    [Theory]
    // the root
    [InlineData(1, "ls --root $D/file $SMALL", "$D/file: it is a file; the root is a directory")]
    [InlineData(1, "ls --root $D/file/x $SMALL", "cannot make the root directory $D/file/x")]
    [InlineData(1, "ls --root /proc/x $SMALL", "cannot make the root directory /proc/x")]
    [InlineData(2, "ls --root '' $SMALL", "--root: an empty string is no path")]
    [InlineData(1, "mount --root $D/file $SMALL $D/dir", "$D/file: it is a file")]
    [InlineData(1, "serve --root $D/file", "$D/file: it is a file; the root is a directory")]
    [InlineData(1, "serve --root /proc/x", "cannot make the root directory /proc/x")]
    [InlineData(1, "serve --root ''", "root: an empty string is no path")]
    // sockets
    [InlineData(1, "serve --root $D/root --address ''", "address: an empty string is no path")]
    [InlineData(
        1, "serve --root $D/root --address /tmp/$(printf 'x%.0s' {1..120})", "has 125 bytes, the path of a Unix socket at most 107")]
    [InlineData(1, "serve --root $D/root --containerd /tmp/$(printf 'x%.0s' {1..120})", "containerd: /tmp/xxx")]
    [InlineData(1, "serve --root $D/root --address $D/file --log-level error", "cannot listen on $D/file")]
    [InlineData(1, "serve --root $D/root --address $D/dir --log-level error", "cannot listen on $D/dir")]
    [InlineData(1, "serve --root $D/root --address $D/file/a/b --log-level error", "$D/file: it is a file, not a directory")]
    [InlineData(1, "pull $SMALL --containerd $D/none", "containerd cannot be reached on $D/none: no such socket")]
    [InlineData(1, "pull $SMALL --containerd $D/file", "containerd cannot be reached on $D/file: connection refused")]
    [InlineData(1, "pull $SMALL --containerd ''", "an empty string is no path of a socket")]
    [InlineData(1, "pull $SMALL --containerd /tmp/$(printf 'x%.0s' {1..120})", "the path of a Unix socket at most 107")]
    [InlineData(1, "index build containerd:a --address $D/none", "containerd cannot be reached on $D/none")]
    // files and directories
    [InlineData(1, "mount --root $D/root $SMALL $D/none", "$D/none: no such directory; make it first")]
    [InlineData(1, "mount --root $D/root $SMALL $D/file", "$D/file: it is a file; an image is mounted on a directory")]
    [InlineData(1, "index show $D/none.lsi", "$D/none.lsi: no such file")]
    [InlineData(1, "index show $D/dir", "$D/dir: it is a directory, not a file")]
    [InlineData(1, "index show $D/file/x", "$D/file: it is a file, not a directory")]
    [InlineData(1, "index show $D/none/x", "$D/none/x: there is no directory $D/none")]
    [InlineData(1, "index show $D/file", "$D/file: index, header: cut short")]
    [InlineData(1, "index verify $D/none --blob $D/file", "$D/none: no such file")]
    [InlineData(1, "index verify $D/dir --blob $D/file", "$D/dir: it is a directory, not a file")]
    [InlineData(1, "index verify $D/file --blob $D/dir", "$D/dir: it is a directory; --blob takes a layer's file")]
    [InlineData(1, "index build --root $D/root --blob $D/none", "$D/none: no such file")]
    [InlineData(1, "index build --root $D/root --blob $D/dir", "$D/dir: it is a directory, not a file")]
    [InlineData(1, "index build --root $D/root --blob $D/file", "neither gzip nor tar")]
    [InlineData(1, "index build --root $D/root --blob $D/file -o $D/none/x", "there is no directory $D/none")]
    [InlineData(1, "index build --root $D/root --blob $D/file -o /proc/x", "/proc/x")]
    [InlineData(1, "index build --root $D/root oci:$D/none", "$D/none: no such directory")]
    [InlineData(1, "index build --root $D/root oci:$D/file", "$D/file: it is a file; oci: reads a directory")]
    [InlineData(1, "index build --root $D/root oci:$D/dir", "$D/dir: no OCI image layout")]
    [InlineData(1, "index build --root $D/root oci-archive:$D/dir", "$D/dir: it is a directory, not a file")]
    [InlineData(1, "index build --root $D/root oci-archive:$D/file", "$D/file: no tar archive: it is cut short")]
    [InlineData(1, "index build --root $D/root docker-archive:$D/none", "$D/none: no such file")]
    [InlineData(1, "index push --root $D/root $SMALL --layout $D/none", "$D/none: no such directory")]
    // images
    [InlineData(1, "ls --root $D/root 'not a reference'", "not a reference")]
    [InlineData(1, "ls --root $D/root $SMALL /none", "/none: no such file or directory in")]
    [InlineData(1, "cat --root $D/root $SMALL /none", "/none: no such file or directory in")]
    [InlineData(1, "cat --root $D/root $SMALL /etc", "/etc: not a regular file")]
    [InlineData(1, "ls --root $D/root 127.0.0.1:1/a:1", "127.0.0.1:1")]
    // the configuration
    [InlineData(1, "serve --config $D/none", "$D/none: no such file")]
    [InlineData(1, "serve --config $D/dir", "$D/dir: it is a directory, not a file")]
    [InlineData(1, "serve --config $D/file", "$D/file:1:1: 'x' is an invalid start of a value")]
    [InlineData(1, "serve --config /dev/null", "/dev/null: there is nothing in it")]
    [InlineData(1, "serve --config <(echo '{\"index\":{\"concurrency\":0}}')", "index.concurrency: 0 is not a whole number from 1 to 64")]
    // usage
    [InlineData(2, "ls --foo $SMALL", "unknown option --foo; try 'lazysnap ls --help'")]
    [InlineData(2, "ls $SMALL --foo", "unknown option --foo")]
    [InlineData(2, "cat $SMALL /etc -x --bar", "unknown option -x; unknown option --bar")]
    [InlineData(2, "--foo", "unknown option --foo; try 'lazysnap --help'")]
    [InlineData(2, "index --foo", "unknown option --foo; try 'lazysnap index --help'")]
    [InlineData(2, "index build --foo $SMALL", "unknown option --foo")]
    [InlineData(1, "ls --root $D/root -- --foo", "\"--foo\"")]
    [InlineData(1, "ls --root $D/root @$D/file", "@$D/file")]
    [InlineData(2, "", "try 'lazysnap --help'")]
    [InlineData(2, "nonsense", "nonsense")]
    [InlineData(2, "ls", "try 'lazysnap ls --help'")]
    [InlineData(2, "ls --platform no-such $SMALL", "--platform: \"no-such\" is not a platform")]
    [InlineData(2, "pull --platform a/b/c/d $SMALL", "--platform: \"a/b/c/d\" is not a platform")]
    [InlineData(2, "copy --platform no-such $SMALL $SMALL", "--platform: \"no-such\" is not a platform")]
    [InlineData(2, "index push --format zip $SMALL", "--format is native or soci")]
    [InlineData(2, "index build --span-size -1 $SMALL", "--span-size")]
    [InlineData(2, "index build --span-size 1e9 $SMALL", "--span-size")]
    [InlineData(2, "ls --log-level loud $SMALL", "loud")]
    public async Task A_wrong_argument_is_named_in_one_line(int exitCode, string command, string said)
    {
        var result = await ShellAsync($"timeout 60 $LZ {command}");
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal("", result.Output);
        var line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !IsProgress(line));
        Assert.StartsWith("lazysnap: ", line, StringComparison.Ordinal);
        Assert.Contains(said.Replace("$D", Directory.Path, StringComparison.Ordinal), line, StringComparison.Ordinal);
        foreach (var word in new[] { "System.", "   at ", "Exception", "Parameter", "internal error", "inner exception", "Could not find",
            "is denied" })
            Assert.DoesNotContain(word, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ls $SMALL", "no home directory")]
    [InlineData("mount $SMALL $D/dir", "mount needs root")]
    [InlineData("serve", "serve needs root")]
    [InlineData("ls --root $D/root $SMALL", "permission denied")]
    [InlineData("ls --root $D/root/new $SMALL", "cannot make the root directory $D/root/new: permission denied")]
    [InlineData("index show $D/secret", "$D/secret: permission denied")]
    [InlineData("index build --root $D/mine --blob $D/secret", "$D/secret: permission denied")]
    public async Task What_a_user_may_not_do_is_said_so(string command, string said)
    {
        if (command == "ls $SMALL")
            command = "index build $SMALL"; // ls does without a home
        var result = await ShellAsync(
            "echo x >$D/secret; chmod 600 $D/secret; chmod 755 $D $D/root; mkdir $D/mine; chown 65534 $D/mine; cd $D/mine;"
            + $"setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_CACHE_HOME HOME=/nonexistent $LZ {command}");
        Assert.Equal(1, result.ExitCode);
        var line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("lazysnap: ", line, StringComparison.Ordinal);
        Assert.Contains(said.Replace("$D", Directory.Path, StringComparison.Ordinal), line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stack_trace_is_for_the_debug_log()
    {
        var result = await ShellAsync("$LZ ls --log-level debug --root $D/file $SMALL");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("   at LazySnapshotter.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_said_with_the_path()
    {
        var result = await ShellAsync(
            "mkdir $D/small; mount -t tmpfs -o size=64k tmpfs $D/small; head -c 1M /dev/urandom >$D/noise; tar cf $D/noise.tar -C $D noise;"
            + "dd if=/dev/zero of=$D/small/fill bs=4k 2>$D/dd; $LZ index build --blob $D/noise.tar -o $D/small/x.lsi; rc=$?; umount " +
                "$D/small; exit $rc");
        Assert.Equal(1, result.ExitCode);
        var line = Assert.Single(result.Error.Split('\n'), line => line.StartsWith("lazysnap: ", StringComparison.Ordinal));
        Assert.Matches("(?i)no space left on device", line);
        Assert.Contains(Directory.Combine("small"), line, StringComparison.Ordinal);
    }

    // What a command says meanwhile in any case: of a layer or file that it reads.
    private static bool IsProgress(string line) => !line.StartsWith("lazysnap:", StringComparison.Ordinal)
        && (line.Contains(": read", StringComparison.Ordinal) || line.Contains("no index on this node", StringComparison.Ordinal));
}
