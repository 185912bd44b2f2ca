using LazySnapshotter.Snapshots.Directories;

namespace LazySnapshotter.Snapshots.Tests;

public sealed class SnapshotDirectoriesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("snapshot-directories-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_new_directory_has_its_name_on_the_disk_before_a_row_can_refer_to_it()
    {
        var synced = new List<(string Path, bool WorkIsThere)>();
        SnapshotDirectories directories = null!;
        directories = new SnapshotDirectories(_root, path => synced.Add((path, Directory.Exists(directories.WorkOf(17)))));

        directories.Create(17, withWork: true, ownerFrom: null);

        var snapshots = Path.Combine(_root, "snapshots");
        Assert.Equal([(Path.Combine(snapshots, "17"), true), (snapshots, true)], synced);
    }

    [Fact]
    public void A_directory_whose_name_cannot_be_written_is_left_to_the_next_collection()
    {
        var directories = new SnapshotDirectories(_root, path => throw new IOException(path));
        Assert.Throws<IOException>(() => directories.Create(17, withWork: true, ownerFrom: null));

        var trash = Assert.Single(directories.CollectOrphans(() => []));
        Assert.Equal([trash], Directory.EnumerateDirectories(Path.Combine(_root, "snapshots")));
    }
}
