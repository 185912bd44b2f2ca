using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Cli.Tests;

public sealed class ServeTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = TestDirectory.Create();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _directory.DisposeAsync();

    [Fact]
    public async Task A_second_daemon_on_one_root_is_told_in_one_line_which_process_has_it()
    {
        await using var first = LazysnapProcess.Create();
        await first.StartAsync(_directory.Combine("none"));
        var second = await LazysnapProcess.RunAsync(
            "serve", "--root", first.Root, "--address", _directory.Combine("b"), "--containerd", _directory.Combine("none"));
        Assert.Equal(1, second.ExitCode);
        var line = Assert.Single(second.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("lazysnap: ", line, StringComparison.Ordinal);
        Assert.Contains($"process {first.Id} has it", line, StringComparison.Ordinal);
        Assert.Contains(first.Root, line, StringComparison.Ordinal);

        // The first one has not noticed.
        Assert.Equal(0, await first.StopAsync());
    }

    [Fact]
    public async Task A_daemon_that_is_told_to_stop_as_soon_as_it_serves_takes_its_mount_down()
    {
        await using var daemon = BackgroundProcess.Start(
            LazysnapProcess.ProgramPath,
            ["serve", "--root", _directory.Combine("root"),
                "--address", _directory.Combine("a"), "--containerd", _directory.Combine("none")]);
        await daemon.WaitUntilAsync("mounted", () => Task.FromResult(IsMounted()), TimeSpan.FromSeconds(60));
        Assert.InRange(await daemon.StopAsync(TimeSpan.FromSeconds(20)), 0, 130);
        Assert.False(IsMounted());

        bool IsMounted() =>
            LazySnapshotter.Linux.MountTable.Read().Any(mount => mount.MountPoint.ToString() == _directory.Combine("root", "layers"));
    }

    [Fact]
    public async Task A_long_TMPDIR_keeps_no_daemon_from_starting()
    {
        var temporary = _directory.MakeDirectory(new string('t', 120));
        await using var daemon = BackgroundProcess.Start(
            LazysnapProcess.ProgramPath,
            ["serve", "--root", _directory.Combine("root"),
                "--address", _directory.Combine("a"), "--containerd", _directory.Combine("none")],
            new Dictionary<string, string> { ["TMPDIR"] = temporary });
        await daemon.WaitUntilAsync("serving", () => Task.FromResult(
            daemon.Log.Contains("Serving snapshots on " + _directory.Combine("a"), StringComparison.Ordinal)), TimeSpan.FromSeconds(60));
        Assert.Equal(0, await daemon.StopAsync(TimeSpan.FromSeconds(20)));
        Assert.Empty(Directory.GetFileSystemEntries(temporary));
    }
}
