using System.Text;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// Compares a directory as the kernel shows it with the tree behind it, everything a program can ask.
internal static class TreeComparison
{
    public static void AssertSame(LinuxPath path, TestNode node)
    {
        AssertStatus(path, node);
        AssertXattrs(path, node);
        switch ((FileType)(node.Attributes.Mode & LazySnapshotter.Linux.ModeBits.S_IFMT))
        {
            case FileType.S_IFDIR:
                AssertChildren(path, node);
                foreach (var (name, child) in node.Children)
                    AssertSame(path.Append(name), child);
                break;
            case FileType.S_IFREG:
                Assert.True(node.Data.AsSpan().SequenceEqual(ReadAll(path)), $"{path}: content differs");
                break;
            case FileType.S_IFLNK:
                Assert.Equal(node.Data, Libc.ReadLink(path));
                break;
        }
    }

    private static void AssertStatus(LinuxPath path, TestNode node)
    {
        var status = Libc.GetStatus(path);
        var shown = new NodeAttributes
        {
            Mode = status.Mode,
            Size = status.Size,
            LinkCount = status.LinkCount,
            Uid = status.Uid,
            Gid = status.Gid,
            ModifiedSeconds = status.ModifiedSeconds,
            ModifiedNanoseconds = status.ModifiedNanoseconds,
            DeviceMajor = status.DeviceMajor,
            DeviceMinor = status.DeviceMinor,
        };
        Assert.Equal((path.ToString(), node.Id.Value, node.Attributes), (path.ToString(), status.Inode, shown));
        Assert.Equal((node.Attributes.Size + 511) / 512, status.Blocks);
    }

    private static void AssertChildren(LinuxPath path, TestNode node)
    {
        var expected = node.Children.Select(child => (Encoding.Latin1.GetString(child.Name), child.Node.Id.Value, TypeOf(child.Node)))
            .Prepend(("..", node.Parent!.Id.Value, FileType.S_IFDIR))
            .Prepend((".", node.Id.Value, FileType.S_IFDIR));
        var listed = Libc.ListDirectory(path).Select(item => (Encoding.Latin1.GetString(item.Name), item.Inode, item.Type!.Value));
        Assert.Equal(expected, listed);
    }

    private static void AssertXattrs(LinuxPath path, TestNode node)
    {
        Assert.Equal(node.Xattrs.Keys, Libc.ListXattrs(path).Select(Encoding.Latin1.GetString));
        foreach (var (name, value) in node.Xattrs)
            Assert.Equal(value, Libc.GetXattr(path, Encoding.Latin1.GetBytes(name).AsSpan()));
        Assert.Null(Libc.GetXattr(path, "user.absent"));
    }

    private static byte[] ReadAll(LinuxPath path)
    {
        using var file = Libc.Open(path, OpenFlags.O_RDONLY);
        using var content = new MemoryStream();
        var buffer = new byte[65536];
        while (Libc.Read(file, buffer, out var errno) is var count and not 0)
        {
            Assert.Equal(Errno.None, errno);
            content.Write(buffer, 0, count);
        }

        return content.ToArray();
    }

    private static FileType TypeOf(TestNode node) => (FileType)(node.Attributes.Mode & LazySnapshotter.Linux.ModeBits.S_IFMT);
}
