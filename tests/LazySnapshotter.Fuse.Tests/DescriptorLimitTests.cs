using System.Globalization;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Fuse.Tests;

// A process that has no descriptors left (EMFILE). This one, for some milliseconds: tests here run one after the other.
public sealed class DescriptorLimitTests
{
    private const int Limit = 300;

    // None for the event, none for the first reader's epoll set, none for the second's.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_session_without_descriptors_takes_its_mount_away(int free)
    {
        var scratch = Directory.CreateTempSubdirectory("fuse-test-");
        var path = Path.Combine(scratch.FullName, "mount");
        await StartAsync(path); // what a session needs of .NET is loaded now
        var mount = FuseMount.Create(path, new FuseMountOptions());
        try
        {
            LinuxException error;
            var hard = await SetLimitAsync($"{Limit}:");
            var filling = new Stack<LinuxFileHandle>();
            try
            {
                Fill(filling);
                for (var i = 0; i < free; i++)
                    filling.Pop().Dispose();
                error = await Assert.ThrowsAsync<LinuxException>(() => StartAsync(mount));
            }
            finally
            {
                while (filling.TryPop(out var handle))
                    handle.Dispose();
                await SetLimitAsync(hard);
            }

            Assert.Equal((Errno.EMFILE, free == 0 ? "eventfd" : "epoll_create1"), (error.Errno, error.Call));
            Assert.True(mount.Device.IsClosed);
            Assert.Null(MountTable.Find(path));
        }
        finally
        {
            mount.Dispose();
        }

        scratch.Delete(recursive: true);
    }

    private static async Task StartAsync(string path)
    {
        await using var _ = await StartAsync(FuseMount.Create(path, new FuseMountOptions()));
    }

    private static Task<FuseSession> StartAsync(FuseMount mount)
    {
        var tree = new TestTree();
        return FuseSession.StartAsync(mount, tree, new FuseSessionOptions { ReaderThreads = 2 }, NullLogger.Instance);
    }

    private static void Fill(Stack<LinuxFileHandle> handles)
    {
        try
        {
            while (true)
                handles.Push(Libc.Open("/dev/null", OpenFlags.O_RDONLY));
        }
        catch (LinuxException e) when (e.Errno == Errno.EMFILE)
        {
        }
    }

    /// <returns>The limit that was there, soft:hard.</returns>
    private static async Task<string> SetLimitAsync(string limit)
    {
        var self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var (_, before) = await Tool.RunAsync("prlimit", "--pid", self, "--nofile", "--raw", "--noheadings", "--output", "SOFT,HARD");
        Assert.Equal((0, ""), await Tool.RunAsync("prlimit", "--pid", self, $"--nofile={limit}"));
        return string.Join(':', before.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
