using System.Text.RegularExpressions;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Program.Tests;

// What `make build` leaves: one file, what it needs of a machine, and its symbols elsewhere.
public sealed partial class FileTests
{
    private const long LengthMax = 30_000_000;

    [Fact]
    public void It_is_one_file_that_is_not_large()
    {
        Assert.Equal([LazysnapProcess.ProgramPath], Directory.GetFileSystemEntries(Path.GetDirectoryName(LazysnapProcess.ProgramPath)!));
        Assert.InRange(new FileInfo(LazysnapProcess.ProgramPath).Length, 1, LengthMax);
    }

    [Fact]
    public async Task It_is_linked_with_libc_alone()
    {
        // 0x0000000000000001 (NEEDED)             Shared library: [libm.so.6]
        var needed = Needed().Matches(await ReadElfAsync("--dynamic", LazysnapProcess.ProgramPath)).Select(match => match.Groups[1].Value);
        Assert.Equal(["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"], needed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Its_symbols_are_kept()
    {
        var symbols = RepositoryRoot.Combine("artifacts", "symbols", "lazysnap.dbg");
        Assert.Equal(await BuildIdAsync(LazysnapProcess.ProgramPath), await BuildIdAsync(symbols));
    }

    private static async Task<string> BuildIdAsync(string file) => BuildId().Match(await ReadElfAsync("--notes", file)).Groups[1].Value;

    private static async Task<string> ReadElfAsync(string what, string file) =>
        (await ProcessRunner.RunAsync("readelf", [what, file])).Checked().Output;

    [GeneratedRegex(@"\(NEEDED\).*\[(.+)\]")]
    private static partial Regex Needed();

    [GeneratedRegex("Build ID: ([0-9a-f]{40})")]
    private static partial Regex BuildId();
}
