namespace LazySnapshotter.Linux.Tests;

public sealed class DirectoryTreeTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("tree-").FullName;

    public void Dispose()
    {
        if (Directory.Exists(_root))
            DirectoryTree.Delete(_root, CancellationToken.None);
    }

    [Fact]
    public void Tree_deeper_than_any_path_is_counted_to_a_depth_and_deleted_whole()
    {
        const int Depth = 2000;
        MakeDeep(_root, Depth);
        Assert.Equal(DirectoryTree.DepthMax, DirectoryTree.Usage(_root, CancellationToken.None).Inodes - 1);
        DirectoryTree.Delete(_root, CancellationToken.None);
        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public void Directory_of_many_names_is_deleted_whole()
    {
        for (var i = 0; i < 5000; i++)
            File.WriteAllText(Path.Combine(_root, $"a-file-with-quite-a-long-name-{i}"), "");
        Assert.Equal(5001, DirectoryTree.Usage(_root, CancellationToken.None).Inodes);
        DirectoryTree.Delete(_root, CancellationToken.None);
        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public void Links_are_removed_and_not_followed()
    {
        var outside = Directory.CreateTempSubdirectory("outside-");
        try
        {
            File.WriteAllText(Path.Combine(outside.FullName, "kept"), "x");
            Directory.CreateSymbolicLink(Path.Combine(_root, "link"), outside.FullName);
            Assert.Equal(2, DirectoryTree.Usage(_root, CancellationToken.None).Inodes);
            DirectoryTree.Delete(_root, CancellationToken.None);
            Assert.True(File.Exists(Path.Combine(outside.FullName, "kept")));
        }
        finally
        {
            outside.Delete(recursive: true);
        }
    }

    [Fact]
    public void Names_that_are_not_UTF8_are_no_obstacle()
    {
        var odd = new LinuxPath(_root).Append([0xff]);
        Libc.MakeDirectory(odd, 0);
        Libc.MakeDirectory(odd.Append([0xfe, 0x80]), 0);
        Assert.Equal(3, DirectoryTree.Usage(_root, CancellationToken.None).Inodes);
        DirectoryTree.Delete(_root, CancellationToken.None);
        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public void Root_that_is_not_there_is_named() =>
        Assert.Contains("/nobody", Assert.Throws<LinuxException>(
            () => DirectoryTree.Delete(_root + "/nobody", CancellationToken.None)).Message, StringComparison.Ordinal);

    // Built from the inside out, by renaming, because the path to the innermost directory would be too long.
    private static void MakeDeep(string root, int depth)
    {
        for (var i = 0; i < depth; i++)
        {
            var outer = Path.Combine(root, "outer");
            Directory.CreateDirectory(outer);
            if (Directory.Exists(Path.Combine(root, "d")))
                Libc.Rename(Path.Combine(root, "d"), Path.Combine(outer, "d"));
            Libc.Rename(outer, Path.Combine(root, "d"));
        }
    }
}
