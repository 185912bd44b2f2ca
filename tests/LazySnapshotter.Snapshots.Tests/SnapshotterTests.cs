using LazySnapshotter.Linux;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// Ordinary snapshots, beyond what containerd's conformance suite asks: directories, crashes, usage, limits.
public sealed class SnapshotterTests : SnapshotterTest
{
    [Fact]
    public async Task Snapshots_survive_a_restart_and_ids_are_not_used_again()
    {
        var labels = new Dictionary<string, string> { ["a"] = "1" };
        await PrepareAsync("k", "", labels);
        Commit("base", "k", labels);
        await PrepareAsync("top", "base");
        var info = Snapshotter.Stat("base");
        var mounts = Snapshotter.Mounts("top");
        await Snapshotter.RemoveAsync("top");
        await RestartAsync();

        var after = Snapshotter.Stat("base");
        Assert.Equal(info with { Labels = after.Labels }, after);
        Assert.Equal(info.Labels, after.Labels);
        Assert.NotEqual(mounts[0].Options[1], Assert.Single(await PrepareAsync("top", "base")).Options[1]);
    }

    [Fact]
    public async Task Directories_without_a_row_are_removed_at_start_and_others_left_alone()
    {
        await PrepareAsync("kept");
        await StopAsync();
        foreach (var leftover in new[] { "new-77", "99", "trash-5-abc", "kept-by-somebody" })
            System.IO.Directory.CreateDirectory(Path.Combine(SnapshotsDirectory, leftover, "fs", "sub"));
        Start();
        await Snapshotter.CleanupAsync(CancellationToken.None);
        Assert.Equal(["1", "kept-by-somebody"], Names());
    }

    [Fact]
    public async Task Crash_before_the_row_leaves_an_id_that_can_be_used()
    {
        await StopAsync();
        // What a crash between directory and row leaves of the first snapshot ever.
        System.IO.Directory.CreateDirectory(Path.Combine(SnapshotsDirectory, "1", "fs", "stale"));
        Start();
        var mount = Assert.Single(await PrepareAsync("k"));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(mount.Source));
    }

    [Fact]
    public async Task Failed_prepare_leaves_no_directory()
    {
        await PrepareAsync("k");
        await Assert.ThrowsAsync<SnapshotExistsException>(() => PrepareAsync("k"));
        await Assert.ThrowsAsync<SnapshotNotFoundException>(() => PrepareAsync("k2", "nobody"));
        await Assert.ThrowsAsync<SnapshotArgumentException>(() => PrepareAsync("k3", "k"));
        await Snapshotter.CleanupAsync(CancellationToken.None);
        Assert.Equal(["1"], Names());
    }

    [Fact]
    public async Task Removal_frees_the_directory_whatever_is_in_it()
    {
        var files = Assert.Single(await PrepareAsync("k")).Source;
        var odd = new LinuxPath(files).Append([0xff, 0xfe, (byte)'x']);
        Libc.MakeDirectory(odd, 0);
        Libc.MakeDirectory(odd.Append([0x80]), 0);
        Libc.MakeNode(new LinuxPath(files).Append("whiteout"u8), FileType.S_IFCHR, 0);
        Libc.MakeSymbolicLink(Directory, new LinuxPath(files).Append("link"u8));
        await Snapshotter.RemoveAsync("k");
        Assert.DoesNotContain("1", Names());
        await Snapshotter.CleanupAsync(CancellationToken.None);
        Assert.Empty(Names());
        Assert.True(File.Exists(Path.Combine(Directory, "metadata.db")));
    }

    [Fact]
    public async Task Cleanup_does_not_take_what_is_being_prepared()
    {
        using var done = new CancellationTokenSource();
        var cleaning = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
                await Snapshotter.CleanupAsync(CancellationToken.None);
        });
        for (var i = 0; i < 100; i++)
            Assert.True(System.IO.Directory.Exists(Assert.Single(await PrepareAsync($"k{i}")).Source));
        await done.CancelAsync();
        await cleaning;
        Assert.Equal(100, Names().Length);
    }

    [Fact]
    public async Task Usage_counts_a_file_with_two_names_once()
    {
        var files = Assert.Single(await PrepareAsync("k")).Source;
        var empty = Snapshotter.Usage("k", CancellationToken.None);
        Assert.Equal(1, empty.Inodes);
        await File.WriteAllBytesAsync(Path.Combine(files, "a"), new byte[1_000_000]);
        Libc.MakeHardLink(Path.Combine(files, "a"), Path.Combine(files, "b"));
        var usage = Snapshotter.Usage("k", CancellationToken.None);
        Assert.Equal(2, usage.Inodes);
        Assert.InRange(usage.Bytes - empty.Bytes, 1_000_000, 1_100_000);

        Commit("c", "k");
        Assert.Equal(usage, Snapshotter.Usage("c", CancellationToken.None));
        await Snapshotter.ViewAsync("v", "c", NoLabels, CancellationToken.None);
        Assert.Equal(default, Snapshotter.Usage("v", CancellationToken.None));
    }

    [Fact]
    public async Task Commit_tells_its_errors_apart()
    {
        await PrepareAsync("k");
        Commit("base", "k");
        await PrepareAsync("k");
        await Snapshotter.ViewAsync("v", "base", NoLabels, CancellationToken.None);
        Assert.Throws<SnapshotExistsException>(() => Commit("base", "k"));
        Assert.Throws<SnapshotNotFoundException>(() => Commit("new", "nobody"));
        Assert.Throws<SnapshotStateException>(() => Commit("new", "v"));
        Assert.Throws<SnapshotStateException>(() => Commit("new", "base"));
        Assert.Throws<SnapshotArgumentException>(() => Commit("", "k"));
        Assert.Throws<SnapshotStateException>(() => Snapshotter.Mounts("base"));
        Assert.Throws<SnapshotNotFoundException>(() => Snapshotter.Mounts("nobody"));
        await Assert.ThrowsAsync<SnapshotNotFoundException>(() => Snapshotter.RemoveAsync("nobody"));
    }

    [Fact]
    public async Task Commit_may_give_a_parent_to_a_snapshot_without_one()
    {
        await PrepareAsync("k");
        Commit("base", "k");
        await PrepareAsync("alone");
        await PrepareAsync("k");
        Assert.Throws<SnapshotNotFoundException>(() => Snapshotter.Commit("top", "alone", "nobody", NoLabels, CancellationToken.None));
        Assert.Throws<SnapshotStateException>(() => Snapshotter.Commit("top", "alone", "k", NoLabels, CancellationToken.None));
        Snapshotter.Commit("top", "alone", "base", NoLabels, CancellationToken.None);
        Assert.Equal("base", Snapshotter.Stat("top").Parent);

        await PrepareAsync("child", "top");
        Assert.Throws<SnapshotArgumentException>(() => Snapshotter.Commit("x", "child", "base", NoLabels, CancellationToken.None));
        Snapshotter.Commit("x", "child", "top", NoLabels, CancellationToken.None);
    }

    [Fact]
    public async Task Names_labels_and_filters_beyond_the_limits_are_refused()
    {
        await Assert.ThrowsAsync<SnapshotArgumentException>(() => PrepareAsync(""));
        await Assert.ThrowsAsync<SnapshotArgumentException>(() => PrepareAsync(new string('k', 100_000)));
        await Assert.ThrowsAsync<SnapshotArgumentException>(() => PrepareAsync("k", "", new() { ["a"] = new string('v', 100_000) }));
        await Assert.ThrowsAsync<SnapshotArgumentException>(
            () => PrepareAsync("k", "", Enumerable.Range(0, 2000).ToDictionary(i => $"l{i}", _ => "x")));
        Assert.Throws<SnapshotArgumentException>(() => Snapshotter.List([new string('x', 100_000)]));
        Assert.Throws<SnapshotArgumentException>(() => Snapshotter.List(["name=x"]));
        Assert.Empty(Snapshotter.List([]));
    }

    [Fact]
    public async Task Label_with_an_empty_value_is_no_label()
    {
        await PrepareAsync("k", "", new() { ["a"] = "", ["b"] = "1" });
        Assert.Equal(["b"], Snapshotter.Stat("k").Labels.Keys);
    }

    [Fact]
    public void Root_that_overlay_options_cannot_name_is_refused()
    {
        using var database = Metadata.MetadataDatabase.Open(Path.Combine(Directory, "other.db"));
        var e = Assert.Throws<ArgumentException>(() => new Snapshotter(
            Path.Combine(Directory, "a:b"), database, mounter: null, images: null,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<Snapshotter>.Instance));
        Assert.Contains("a:b", e.Message, StringComparison.Ordinal);
    }

    private string[] Names() =>
        [.. System.IO.Directory.GetDirectories(SnapshotsDirectory).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
}
