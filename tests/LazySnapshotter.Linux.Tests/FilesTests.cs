namespace LazySnapshotter.Linux.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_failed_call_says_which_call_what_path_and_why()
    {
        var error = Assert.Throws<LinuxException>(() => Libc.Open("/nowhere/x", OpenFlags.O_RDONLY));

        Assert.Equal((Errno.ENOENT, "open", "/nowhere/x"), (error.Errno, error.Call, error.Path));
        Assert.Equal("open /nowhere/x: ENOENT (No such file or directory)", error.Message);
    }

    [Fact]
    public void An_error_number_without_a_name_is_shown_as_a_number() =>
        Assert.StartsWith("ioctl: errno 95999 (", new LinuxException((Errno)95999, "ioctl").Message);

    [Fact]
    public void A_punched_hole_reads_as_zeros_and_takes_no_space()
    {
        const int Length = 1 << 20;
        var path = _scratch.At("sparse");
        File.WriteAllBytes(path, Enumerable.Repeat((byte)7, Length).ToArray());
        using (var file = File.OpenHandle(path, System.IO.FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(file);
            Assert.True(Libc.TryPunchHole(file, 0, Length / 2));
            RandomAccess.FlushToDisk(file);
        }

        var content = File.ReadAllBytes(path);
        Assert.Equal(Length, content.Length);
        Assert.Equal(-1, content.AsSpan(0, Length / 2).IndexOfAnyExcept((byte)0));
        Assert.Equal(7, content[Length / 2]);
        Assert.True(Libc.GetStatus(path).Blocks * 512 <= Length / 2 + 65536);
    }

    [Fact]
    public void A_lock_is_had_by_one()
    {
        File.WriteAllText(_scratch.At("lock"), "");
        using var first = Libc.Open(_scratch.At("lock"), OpenFlags.O_RDWR);
        using var second = Libc.Open(_scratch.At("lock"), OpenFlags.O_RDWR);

        Assert.True(Libc.TryLock(first));
        Assert.False(Libc.TryLock(second));
        Libc.Unlock(first);
        Assert.True(Libc.TryLock(second));
    }

    [Fact]
    public void Directories_and_filesystems_can_be_synced()
    {
        Libc.SyncDirectory(_scratch.At(""));
        Libc.SyncFileSystem(_scratch.At(""));
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<LinuxException>(() => Libc.SyncDirectory("/etc/passwd")).Errno);
    }

    [Fact]
    public void Links_are_not_followed_when_told_so()
    {
        Libc.MakeSymbolicLink("/etc/passwd", _scratch.At("link"));
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(
            () => Libc.Open(_scratch.At("link"), OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW)).Errno);
    }

    [Fact]
    public void No_descriptor_is_inherited()
    {
        using var file = Libc.Open("/etc/passwd", OpenFlags.O_RDONLY);
        var flags = File.ReadLines($"/proc/self/fdinfo/{file.Descriptor}")
            .First(line => line.StartsWith("flags:", StringComparison.Ordinal));
        Assert.NotEqual(0, Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & (int)OpenFlags.O_CLOEXEC);
    }
}
