using System.Text;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Layers.Tests.Index;

// Compares a layer's TOC with the directory a tar was made from or unpacked to: every path in type, mode, owner, time,
// size, link count, hard-link identity, device, target, xattrs and content.
internal static class DiskTree
{
    public static void AssertEqual(string root, BuiltLayer layer, Func<long, uint, (long, uint)>? time = null, bool readAll = true)
    {
        var inodes = new Dictionary<ulong, int>();
        var seen = 0;
        Compare(root, layer, directory: 0, "", inodes, ref seen, time ?? ((seconds, nanoseconds) => (seconds, nanoseconds)), readAll);
        Assert.Equal(layer.Toc.Count - 1, inodes.Count);
        Assert.True(seen > 0);
    }

    private static void Compare(
        LinuxPath path, BuiltLayer layer, int directory, string shown, Dictionary<ulong, int> inodes, ref int seen, Func<long, uint,
        (long, uint)> time, bool readAll)
    {
        var names = Libc.ListDirectory(path)
            .Select(item => item.Name.ToArray()).Where(name => name is not [(byte)'.'] and not [(byte)'.', (byte)'.']).ToList();
        names.Sort((left, right) => left.AsSpan().SequenceCompareTo(right));
        var listed = Enumerable.Range(0, layer.Toc.ChildCount(directory))
            .Select(i => Convert.ToHexString(layer.Toc.ChildName(directory, i)));
        Assert.Equal(names.Select(Convert.ToHexString), listed);

        foreach (var name in names)
        {
            seen++;
            var child = path.Append(name);
            var here = $"{shown}/{Encoding.Latin1.GetString(name)}";
            Assert.True(layer.Toc.TryFind(directory, name, out var entry), here);
            var status = Libc.GetStatus(child);
            if (!inodes.TryAdd(status.Inode, entry))
                Assert.Equal((here, inodes[status.Inode]), (here, entry));
            AssertAttributes(here, status, layer.Toc[entry], time);
            AssertContent(here, child, layer, entry, status, readAll);
            if (status.Type == FileType.S_IFDIR)
                Compare(child, layer, entry, here, inodes, ref seen, time, readAll);
        }
    }

    private static void AssertAttributes(string here, FileStatus status, TocEntry entry, Func<long, uint, (long, uint)> time)
    {
        Assert.Equal((here, TypeOf(status.Type)), (here, entry.Type));
        Assert.Equal((here, status.Mode & 0xFFF), (here, entry.Mode));
        Assert.Equal((here, status.Uid, status.Gid), (here, entry.Uid, entry.Gid));
        Assert.Equal(
            (here, time(status.ModifiedSeconds, status.ModifiedNanoseconds)), (here, (entry.MtimeSeconds, entry.MtimeNanoseconds)));
        Assert.Equal((here, status.DeviceMajor, status.DeviceMinor), (here, entry.DeviceMajor, entry.DeviceMinor));
        Assert.Equal((here, status.LinkCount), (here, entry.LinkCount));
        if (status.Type != FileType.S_IFDIR)
            Assert.Equal((here, status.Size), (here, entry.Size));
    }

    private static void AssertContent(string here, LinuxPath path, BuiltLayer layer, int entry, FileStatus status, bool readAll)
    {
        if (status.Type == FileType.S_IFLNK)
            Assert.Equal(Libc.ReadLink(path), layer.Toc.LinkTarget(entry).ToArray());

        var expected = Libc.ListXattrs(path)
            .Select(name => $"{Encoding.Latin1.GetString(name)}={Convert.ToHexString(Libc.GetXattr(path, name)!)}").Order();
        var actual = layer.Toc.Xattrs(entry)
            .Select(xattr => $"{Encoding.Latin1.GetString(xattr.Name.Span)}={Convert.ToHexString(xattr.Value.Span)}").Order();
        Assert.Equal((here, string.Join('\n', expected)), (here, string.Join('\n', actual)));

        if (status.Type == FileType.S_IFREG && readAll)
        {
            using var file = Libc.Open(path, OpenFlags.O_RDONLY);
            var content = new byte[status.Size];
            for (var done = 0; done < content.Length;)
                done += Libc.Read(file, content.AsSpan(done), out _);
            Assert.True(content.AsSpan().SequenceEqual(layer.ReadFile(entry)), $"{here}: content differs");
        }
    }

    private static TocEntryType TypeOf(FileType type) => type switch
    {
        FileType.S_IFDIR => TocEntryType.Directory,
        FileType.S_IFREG => TocEntryType.File,
        FileType.S_IFLNK => TocEntryType.SymbolicLink,
        FileType.S_IFCHR => TocEntryType.CharacterDevice,
        FileType.S_IFBLK => TocEntryType.BlockDevice,
        FileType.S_IFIFO => TocEntryType.Fifo,
        _ => throw new InvalidOperationException($"{type}"),
    };
}
