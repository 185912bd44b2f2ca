using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Program.Tests;

// On processors that qemu plays.
public sealed class ProcessorTests
{
    [Fact]
    public async Task A_processor_that_is_too_old_is_told_so_in_one_line()
    {
        var old = await RunAsync("Nehalem");
        Assert.Equal(127, old.ExitCode);
        Assert.Equal($"{LazysnapProcess.ProgramPath}: CPU ISA level is lower than required\n", old.Error);
    }

    [Fact]
    public async Task The_oldest_processor_that_will_do_does()
    {
        Assert.Contains("lazysnap [command]", (await RunAsync("Haswell")).Checked().Output, StringComparison.Ordinal);
    }

    private static Task<ProcessResult> RunAsync(string processor) =>
        ProcessRunner.RunAsync("qemu-x86_64", ["-cpu", processor, LazysnapProcess.ProgramPath, "--help"]);
}
