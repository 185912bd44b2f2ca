using System.Text;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

public sealed class MountTests
{
    private static readonly byte[] World = Encoding.UTF8.GetBytes("world");

    [Fact]
    public async Task A_file_is_listed_and_read()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());

        Assert.Equal("world", await File.ReadAllTextAsync(mount.At("hello")));
        Assert.Equal([mount.At("hello")], Directory.GetFileSystemEntries(mount.Directory));
        Assert.Equal(1, mount.Session.CountOf(FuseOpcode.FUSE_INIT));
        Assert.Contains(mount.Log, line => line.Contains("serving"));
    }

    [Fact]
    public async Task The_mount_table_shows_a_read_only_mount_where_devices_and_setuid_programs_work()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());

        var entry = MountTable.Find(mount.Directory)!;
        var options = entry.Options.Split(',');
        Assert.Equal(FuseMount.FileSystemType, entry.FileSystemType);
        Assert.Equal("lazysnap", entry.Source.ToString());
        Assert.Contains("ro", options);
        Assert.DoesNotContain("nosuid", options);
        Assert.DoesNotContain("nodev", options);
        Assert.Contains("default_permissions", entry.SuperOptions);
        Assert.Contains("allow_other", entry.SuperOptions);
    }

    [Fact]
    public async Task Read_ahead_is_raised()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());

        var entry = MountTable.Find(mount.Directory)!;
        var path = $"/sys/class/bdi/{entry.DeviceMajor}:{entry.DeviceMinor}/read_ahead_kb";
        Assert.Equal("1024", (await File.ReadAllTextAsync(path)).Trim());
    }

    [Fact]
    public async Task Writing_is_refused()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());

        var error = Assert.Throws<IOException>(() => File.WriteAllText(mount.At("new"), ""));
        Assert.Contains("Read-only file system", error.Message);
        Assert.Equal(Errno.EROFS, Assert.Throws<LinuxException>(() => Libc.Chmod(mount.At("hello"), 0)).Errno);
    }

    [Fact]
    public async Task Totals_are_shown_by_statfs()
    {
        var tree = HelloTree();
        tree.AddFile(tree.Root, "big", new byte[10 * 4096]);
        await using var mount = await TestMount.StartAsync(tree);

        var (exitCode, output) = await Tool.RunAsync("stat", "-f", "-c", "%b %c %f %l", mount.Directory);
        Assert.Equal((0, "11 3 0 255\n"), (exitCode, output));
    }

    [Fact]
    public async Task Unmounting_from_outside_ends_the_session()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());
        Assert.False(mount.Session.Completion.IsCompleted);

        Assert.Equal(Errno.None, Libc.Unmount(mount.Directory, UnmountFlags.UMOUNT_NOFOLLOW));
        await mount.Session.Completion.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_mount_in_use_is_taken_away_and_its_user_gets_an_error()
    {
        FileStream file;
        await using (var mount = await TestMount.StartAsync(HelloTree()))
            file = File.OpenRead(mount.At("hello"));

        await using (file)
            Assert.Throws<IOException>(() => file.ReadExactly(new byte[5]));
    }

    [Fact]
    public async Task A_mount_whose_server_is_gone_is_replaced()
    {
        var scratch = Directory.CreateTempSubdirectory("fuse-test-");
        var path = Path.Combine(scratch.FullName, "mount");
        var dead = FuseMount.Create(path, new FuseMountOptions());
        dead.Device.Dispose();
        Assert.Equal(Errno.ENOTCONN, Libc.TryGetStatus(path, out _));

        await using (await FuseSession.StartAsync(
            FuseMount.Create(path, new FuseMountOptions()), HelloTree(), new FuseSessionOptions(), NullLog))
            Assert.Equal(World, await File.ReadAllBytesAsync(Path.Combine(path, "hello")));

        Assert.Null(MountTable.Find(path));
        scratch.Delete(recursive: true);
    }

    [Fact]
    public async Task A_mount_of_somebody_else_at_the_same_place_is_left_alone_at_the_end()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());
        Assert.Equal(Errno.None, Libc.Unmount(mount.Directory, UnmountFlags.UMOUNT_NOFOLLOW));
        Libc.Mount("tmpfs", mount.Directory, "tmpfs", MountFlags.None, "");

        await mount.Session.DisposeAsync();

        Assert.Equal("tmpfs", MountTable.Find(mount.Directory)!.FileSystemType);
        Assert.Equal(Errno.None, Libc.Unmount(mount.Directory, UnmountFlags.UMOUNT_NOFOLLOW));
    }

    [Fact]
    public async Task Reader_threads_carry_the_sessions_name()
    {
        await using var mount = await TestMount.StartAsync(HelloTree());

        var names = Directory.GetDirectories("/proc/self/task")
            .Select(task => File.ReadAllText(Path.Combine(task, "comm")).Trim()).ToList();
        for (var i = 0; i < Environment.ProcessorCount; i++)
            Assert.Contains($"fuse-test-{i}", names);
    }

    private static Microsoft.Extensions.Logging.ILogger NullLog => Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    private static TestTree HelloTree()
    {
        var tree = new TestTree();
        tree.AddFile(tree.Root, "hello", World);
        return tree;
    }
}
