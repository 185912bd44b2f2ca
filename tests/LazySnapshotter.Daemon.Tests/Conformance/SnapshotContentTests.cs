using LazySnapshotter.Linux;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// containerd's suite, third part: what a stack of snapshots shows when it is mounted. Most of these were bugs in
// somebody's storage driver once.
public sealed class SnapshotContentTests : ConformanceTest
{
    [Fact]
    public async Task RemoveDirectoryInLowerLayer() => await CheckSnapshotsAsync(
        Change.All(Change.CreateDirectory("/lib", "700"), Change.CreateFile("/lib/hidden", "", "644")),
        Change.All(Change.RemoveAll("/lib"), Change.CreateDirectory("/lib", "700"), Change.CreateFile("/lib/not-hidden", "", "644")),
        Change.CreateFile("/lib/newfile", "", "644"));

    [Fact]
    public async Task Chown() => await CheckSnapshotsAsync(
        Change.All(
            Change.CreateDirectory("/opt", "700"), Change.CreateDirectory("/opt/a", "700"), Change.CreateDirectory("/opt/a/b", "700"),
            Change.CreateFile("/opt/a/b/file.txt", "hello", "644")),
        Change.All(
            Change.Chown(
                "/opt", 1, 1), Change.Chown("/opt/a", 1, 1), Change.Chown("/opt/a/b", 1, 1), Change.Chown("/opt/a/b/file.txt", 1, 1)));

    [Fact]
    public async Task DirectoryPermissionOnCommit() => await CheckSnapshotsAsync(
        Change.All(
            Change.CreateDirectory("/dir1", "700"), Change.CreateDirectory("/dir2", "700"), Change.CreateDirectory("/dir3", "700"),
            Change.CreateDirectory("/dir4", "700"), Change.CreateFile("/dir4/f1", "...", "644"),
            Change.CreateDirectory("/dir5", "700"), Change.CreateFile("/dir5/f1", "...", "644"),
            Change.Chown("/dir1", 1, 1), Change.Chown("/dir2", 1, 1), Change.Chown("/dir3", 1, 1),
            Change.Chown("/dir5", 1, 1), Change.Chown("/dir5/f1", 1, 1)),
        Change.All(
            Change.Chown("/dir2", 0, 0), Change.RemoveAll("/dir3"), Change.Chown("/dir4", 1, 1), Change.Chown("/dir4/f1", 1, 1)),
        Change.All(
            Change.CreateDirectory("/dir3", "700"), Change.Chown("/dir3", 1, 1),
            Change.RemoveAll("/dir5"), Change.CreateDirectory("/dir5", "700"), Change.Chown("/dir5", 1, 1)));

    [Fact]
    public async Task DeletedFilesInChildSnapshot() => await CheckSnapshotsAsync(
        Change.All(Change.CreateFile("/foo", "foo\n", "777"), Change.CreateFile("/foobar", "foobar\n", "777")),
        Change.RemoveAll("/foobar"),
        Change.All());

    [Fact]
    public async Task MoveFileFromLowerLayer() => await CheckSnapshotsAsync(
        Change.All(
            Change.CreateDirectory("/dir1", "700"), Change.CreateFile("/dir1/f1", "Hello", "644"),
            Change.CreateDirectory("dir2", "700"), Change.CreateFile("dir2/f2", "...", "644")),
        Change.All(
            Change.CreateDirectory("/dir3", "700"), Change.CreateFile("/dir3/f1", "Hello", "644"), Change.RemoveAll("/dir1"),
            Change.Link("dir2/f2", "dir3/f2"), Change.RemoveAll("dir2/f2")));

    // Renaming directories of a lower layer is left out, as containerd leaves it out for overlayfs: it needs redirect_dir.
    [Fact]
    public async Task Rename() => await CheckSnapshotsAsync(
        Change.All(
            Change.CreateDirectory("/dir1", "700"), Change.CreateDirectory("/somefiles", "700"),
            Change.CreateFile("/somefiles/f1", "was here first!", "644"), Change.CreateFile("/somefiles/f2", "nothing interesting", "644")),
        Change.All(
            Change.CreateFile("/somefiles/f1-overwrite", "new content 1", "644"),
            Change.Rename("/somefiles/f1-overwrite", "/somefiles/f1"), Change.Rename("/somefiles/f2", "/somefiles/f3")));

    [Fact]
    public async Task ViewReadonly()
    {
        await PrepareAsync("preparing", "");
        await CommitAsync("committed", "preparing");
        var mounts = await ViewAsync("view", "committed");
        var mountPoint = MakeDirectory("view-mount");
        TestMounts.MountAll(mounts, mountPoint);
        var e = await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllTextAsync(Path.Combine(mountPoint, "testfile"), "testcontent"));
        Assert.Contains("Read-only", e.Message, StringComparison.Ordinal);
        TestMounts.Unmount(mountPoint);
        await RemoveAsync("view");
        await RemoveAsync("committed");
    }

    [Fact]
    public async Task RootPermission()
    {
        var preparing = await PrepareMountedAsync("preparing", "");
        Assert.Equal("755", Convert.ToString(Libc.GetStatus(preparing).Mode & 0x1FF, 8));
        TestMounts.Unmount(preparing);
    }
}
