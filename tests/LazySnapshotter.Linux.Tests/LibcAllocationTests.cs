using System.Runtime.CompilerServices;

namespace LazySnapshotter.Linux.Tests;

public sealed class LibcAllocationTests
{
    [Fact]
    public void Structs_have_the_kernels_sizes() => Assert.Equal(256, Unsafe.SizeOf<Libc.StatxBuffer>());

    [Fact]
    public void A_hole_is_not_allocated()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.OpenWrite(path))
            {
                file.Position = 10 << 20;
                file.Write(new byte[8192]);
                file.Flush(flushToDisk: true); // some filesystems allocate when they write
            }

            Assert.InRange(Libc.AllocatedBytes(path), 8192, 1 << 20);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Equal(0, Libc.AllocatedBytes(path));
    }

    [Fact]
    public void A_lock_is_taken_once_and_free_when_its_file_is_closed()
    {
        var path = Path.GetTempFileName();
        using (var first = Libc.OpenLockFile(path))
        using (var second = Libc.OpenLockFile(path))
        {
            Assert.True(Libc.TryLock(first, path));
            Assert.False(Libc.TryLock(second, path));
            first.Dispose();
            Assert.True(Libc.TryLock(second, path));
        }

        File.Delete(path);
    }

    [Fact]
    public void Failures_name_call_and_path()
    {
        Assert.Contains("open /nowhere/lock: No such file", Assert.Throws<IOException>(() => Libc.OpenLockFile("/nowhere/lock")).Message, StringComparison.Ordinal);
        Assert.Contains("open /nowhere: ", Assert.Throws<IOException>(() => Libc.SyncDirectory("/nowhere")).Message, StringComparison.Ordinal);
        Assert.Contains("statx /dev/null/x: Not a directory", Assert.Throws<IOException>(() => Libc.AllocatedBytes("/dev/null/x")).Message, StringComparison.Ordinal);
        Libc.SyncDirectory(Path.GetTempPath());
    }
}
