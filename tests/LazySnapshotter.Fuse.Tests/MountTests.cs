using System.Text;
using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse.Tests;

public sealed class MountTests
{
    [Fact]
    public async Task A_file_is_listed_and_read()
    {
        var tree = new TestTree();
        tree.AddFile(tree.Root, "hello", Encoding.UTF8.GetBytes("world"));
        await using var mount = await TestMount.StartAsync(tree);

        Assert.Equal("world", await File.ReadAllTextAsync(mount.At("hello")));
        Assert.Equal([mount.At("hello")], Directory.GetFileSystemEntries(mount.Directory));
        Assert.Equal(1, mount.Session.CountOf(FuseOpcode.FUSE_INIT));
        Assert.Contains(mount.Log, line => line.Contains("serving"));
    }
}
