using System.Diagnostics;
using System.Text;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// Reads that wait, fail, or are no longer wanted.
public sealed class ReadTests
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes(new string('c', 8192));

    [Fact]
    public async Task Waiting_reads_hold_up_nothing_else()
    {
        var tree = SlowTree(out var gate);
        for (var i = 0; i < 32; i++)
            tree.AddFile(tree.Root, $"slow{i}", Content);
        await using var mount = await TestMount.StartAsync(tree);

        // Far more than there are reader threads.
        var reads = Enumerable.Range(0, 32).Select(i => Tool.RunAsync("cat", mount.At($"slow{i}"))).ToList();
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight >= 32);

        Assert.Equal(Content.Length, Libc.GetStatus(mount.At("slow31")).Size);
        Assert.Equal("fast", await File.ReadAllTextAsync(mount.At("fast")));
        Assert.True(mount.Session.OldestReadAge > TimeSpan.Zero);

        gate.SetResult();
        foreach (var read in reads)
            Assert.Equal((0, Encoding.UTF8.GetString(Content)), await read);
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight == 0);
        Assert.Equal(TimeSpan.Zero, mount.Session.OldestReadAge);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failed_read_is_EIO_and_one_log_line_and_the_next_one_works(bool later)
    {
        var tree = SlowTree(out _);
        var broken = true;
        tree.OnRead = async (node, offset, destination, _) =>
        {
            if (later)
                await Task.Yield();
            return broken ? throw new InvalidDataException("digest mismatch") : TestTree.Copy(node, offset, destination);
        };
        await using var mount = await TestMount.StartAsync(tree);

        var (exitCode, output) = await DirectReadAsync(mount);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Input/output error", output);
        Assert.Single(mount.Log, line => line.Contains("digest mismatch"));

        broken = false;
        Assert.Equal(Content, await File.ReadAllBytesAsync(mount.At("slow")));
    }

    [Fact]
    public async Task A_count_that_cannot_be_is_EIO()
    {
        var tree = SlowTree(out _);
        tree.OnRead = (_, _, destination, _) => ValueTask.FromResult(destination.Length + 1);
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Throws<IOException>(() => File.ReadAllBytes(mount.At("slow")));
    }

    [Fact]
    public async Task A_lookup_that_throws_is_EIO_and_the_session_goes_on()
    {
        var tree = SlowTree(out _);
        var faulty = tree.AddDirectory(tree.Root, "faulty");
        faulty.Fault = new InvalidOperationException("a bug");
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal(Errno.EIO, Libc.TryGetStatus(mount.At("faulty/x"), out _));
        Assert.Contains(mount.Log, line => line.Contains("FUSE_LOOKUP") && line.Contains("a bug"));
        Assert.Equal("fast", await File.ReadAllTextAsync(mount.At("fast")));
    }

    [Theory]
    [InlineData("KILL", true)]
    [InlineData("KILL", false)]
    [InlineData("TERM", true)]
    public async Task A_process_that_waits_for_a_read_can_be_killed(string signal, bool direct)
    {
        var tree = SlowTree(out var gate);
        await using var mount = await TestMount.StartAsync(tree);
        using var process = direct ? StartDirectRead(mount) : Tool.Start("cat", mount.At("slow"));
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight > 0);

        await Tool.SignalAsync(process, signal);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));

        if (direct)
        {
            // The kernel said so (INTERRUPT), and the filesystem was told to stop.
            Assert.True(mount.Session.CountOf(FuseOpcode.FUSE_INTERRUPT) > 0);
            await Tool.UntilAsync(() => mount.Session.ReadsInFlight == 0);
        }

        Assert.DoesNotContain(mount.Log, line => line.StartsWith("Error", StringComparison.Ordinal));
        gate.TrySetResult();
    }

    [Fact]
    public async Task A_killed_process_ends_even_if_the_filesystem_ignores_its_token()
    {
        var tree = SlowTree(out _);
        var deaf = new TaskCompletionSource();
        tree.OnRead = async (_, _, _, _) =>
        {
            await deaf.Task;
            return 0;
        };
        await using var mount = await TestMount.StartAsync(tree);
        using var process = StartDirectRead(mount);
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight > 0);

        process.Kill();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(1, mount.Session.ReadsInFlight);
        deaf.SetResult();
    }

    [Fact]
    public async Task A_signal_the_program_handles_does_not_end_its_read()
    {
        var tree = SlowTree(out var gate);
        await using var mount = await TestMount.StartAsync(tree);

        // dd handles SIGUSR1: it prints how far it got.
        using var process = StartDirectRead(mount);
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight > 0);
        await Tool.SignalAsync(process, "USR1");
        await Tool.UntilAsync(() => mount.Session.CountOf(FuseOpcode.FUSE_INTERRUPT) > 0);
        await Task.Delay(200);
        Assert.Equal(1, mount.Session.ReadsInFlight);

        gate.SetResult();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(0, process.ExitCode);
        Assert.Equal(1, mount.Session.CountOf(FuseOpcode.FUSE_READ));
    }

    [Fact]
    public async Task A_signal_that_kills_is_noticed_after_one_that_did_not()
    {
        var tree = SlowTree(out _);
        await using var mount = await TestMount.StartAsync(tree);
        using var process = StartDirectRead(mount);
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight > 0);
        await Tool.SignalAsync(process, "USR1");
        await Tool.UntilAsync(() => mount.Session.CountOf(FuseOpcode.FUSE_INTERRUPT) > 0);
        await Task.Delay(100);

        // The kernel sends no second INTERRUPT.
        await Tool.SignalAsync(process, "KILL");
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_session_ends_with_reads_under_way(bool direct)
    {
        var tree = SlowTree(out _);
        var mount = await TestMount.StartAsync(tree);
        using var process = direct ? StartDirectRead(mount) : Tool.Start("cat", mount.At("slow"));
        await Tool.UntilAsync(() => mount.Session.ReadsInFlight > 0);

        var clock = Stopwatch.StartNew();
        await mount.DisposeAsync();

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"took {clock.Elapsed}");
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.NotEqual(0, process.ExitCode);
    }

    [Fact]
    public async Task Reads_whose_bytes_are_here_leave_no_garbage()
    {
        const int Reads = 20_000;
        var tree = SlowTree(out _);
        tree.OnRead = null;
        tree.AddFile(tree.Root, "large", new byte[Reads * 4096]);
        await using var mount = await TestMount.StartAsync(tree);
        Assert.Equal(0, (await ReadLargeAsync(mount, 1000)).ExitCode);

        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(0, (await ReadLargeAsync(mount, Reads)).ExitCode);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        // What is allocated is by starting dd and by the test's own log; a byte array per read would be 80 MB, an object 500 KB.
        Assert.True(mount.Session.CountOf(FuseOpcode.FUSE_READ) > Reads);
        Assert.True(allocated < 400_000, $"{allocated} bytes for {Reads} reads");
    }

    private static Task<(int ExitCode, string Output)> ReadLargeAsync(TestMount mount, int count) =>
        Tool.RunAsync("dd", "if=" + mount.At("large"), "of=/dev/null", "bs=4096", $"count={count}", "iflag=direct");

    private static Task<(int ExitCode, string Output)> DirectReadAsync(TestMount mount) =>
        Tool.RunAsync("dd", "if=" + mount.At("slow"), "of=/dev/null", "bs=4096", "count=1", "iflag=direct");

    // Past the page cache: the reading thread itself waits for our reply.
    private static Process StartDirectRead(TestMount mount) =>
        Tool.Start("dd", "if=" + mount.At("slow"), "of=/dev/null", "bs=4096", "count=1", "iflag=direct");

    // "slow*" files wait for the gate (or their token), "fast" does not.
    private static TestTree SlowTree(out TaskCompletionSource gate)
    {
        var opened = gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var tree = new TestTree();
        var fast = tree.AddFile(tree.Root, "fast", Encoding.UTF8.GetBytes("fast"));
        tree.AddFile(tree.Root, "slow", Content);
        tree.OnRead = async (node, offset, destination, cancellationToken) =>
        {
            if (node != fast)
                await opened.Task.WaitAsync(cancellationToken);
            return TestTree.Copy(node, offset, destination);
        };
        return tree;
    }
}
