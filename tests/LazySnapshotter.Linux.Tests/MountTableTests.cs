using System.Text;

namespace LazySnapshotter.Linux.Tests;

public sealed class MountTableTests
{
    [Fact]
    public void A_line_is_read_with_all_its_fields()
    {
        var entry = Assert.Single(
            Parse("36 35 98:4 /root /mount\\040point\\134x rw,noatime master:1 shared:2 - fuse.lazysnap a\\011b ro,user_id=0\n"));

        Assert.Equal((36, 35, 98u, 4u), (entry.Id, entry.ParentId, entry.DeviceMajor, entry.DeviceMinor));
        Assert.Equal(("/root", "/mount point\\x", "rw,noatime"), (entry.Root.ToString(), entry.MountPoint.ToString(), entry.Options));
        Assert.Equal(("fuse.lazysnap", "a\tb", "ro,user_id=0"), (entry.FileSystemType, entry.Source.ToString(), entry.SuperOptions));
    }

    [Fact]
    public void A_line_without_optional_fields_is_read() =>
        Assert.Equal("tmpfs", Assert.Single(Parse("1 2 0:5 / /x rw - tmpfs none rw")).FileSystemType);

    [Fact]
    public void A_source_may_be_a_hyphen() =>
        Assert.Equal("-", Assert.Single(Parse("1 2 0:5 / /x rw - tmpfs - rw")).Source.ToString());

    [Theory]
    [InlineData("1 2 0:5 / /x rw tmpfs none rw")]
    [InlineData("1 2 0:5 / /x rw - tmpfs")]
    [InlineData("x 2 0:5 / /x rw - tmpfs none rw")]
    [InlineData("1 2 05 / /x rw - tmpfs none rw")]
    [InlineData("1 2 0:5 / /x\\000 rw - tmpfs none rw")]
    [InlineData("1 2 0:5 / /x\0 rw - tmpfs none rw")]
    [InlineData("1")]
    public void A_line_that_makes_no_sense_is_refused_and_shown(string line) =>
        Assert.Contains($"\"{line}\"", Assert.Throws<InvalidDataException>(() => Parse(line)).Message);

    [Fact]
    public void A_mount_is_found_and_the_topmost_one_at_that()
    {
        using var scratch = new Scratch();
        var path = scratch.At("with blank");
        Directory.CreateDirectory(path);
        Assert.Null(MountTable.Find(path));

        Libc.Mount("first", path, "tmpfs", MountFlags.None, "");
        Libc.Mount("second", path, "tmpfs", MountFlags.MS_NODEV, "size=1m");
        Assert.Equal("second", MountTable.Find(path)!.Source.ToString());
        Assert.Equal(Errno.None, Libc.Unmount(path, UnmountFlags.UMOUNT_NOFOLLOW));
        Assert.Equal("first", MountTable.Find(path)!.Source.ToString());
        Assert.Equal(Errno.None, Libc.Unmount(path, UnmountFlags.MNT_DETACH | UnmountFlags.UMOUNT_NOFOLLOW));
        Assert.Equal(Errno.EINVAL, Libc.Unmount(path, UnmountFlags.UMOUNT_NOFOLLOW));
    }

    [Fact]
    public void A_failed_mount_says_where()
    {
        var error = Assert.Throws<LinuxException>(() => Libc.Mount("x", "/nowhere", "tmpfs", MountFlags.None, ""));
        Assert.StartsWith("mount /nowhere: ENOENT", error.Message);
        Assert.Throws<ArgumentException>(() => Libc.Mount("x", "/nowhere", "tmpfs", MountFlags.None, new string('x', 4096)));
    }

    private static IReadOnlyList<MountEntry> Parse(string text) => MountTable.Parse(Encoding.UTF8.GetBytes(text));
}
