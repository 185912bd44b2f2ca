using LazySnapshotter.Linux;

namespace LazySnapshotter.TestSupport.Processes;

// A folder of one test, with a path so short that sockets in it stay below the 107 bytes of sockaddr_un. Disposing
// unmounts whatever is mounted below it, dead FUSE mounts included, and removes it. Where the default lies on overlayfs
// (which cannot hold overlayfs's upper directories) LAZYSNAP_TEST_TMP names another place.
public sealed class TestDirectory : IAsyncDisposable
{
    public const string LocationVariable = "LAZYSNAP_TEST_TMP";

    private TestDirectory(string path) => Path = path;

    public string Path { get; }

    public static TestDirectory Create()
    {
        var parent = Environment.GetEnvironmentVariable(LocationVariable) ?? System.IO.Path.GetTempPath();
        while (true)
        {
            var path = System.IO.Path.Combine(parent, "lst-" + System.IO.Path.GetRandomFileName()[..6]);
            if (Directory.Exists(path))
                continue;
            Directory.CreateDirectory(path);
            return new TestDirectory(path);
        }
    }

    public string Combine(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    public string MakeDirectory(string name) => Directory.CreateDirectory(Combine(name)).FullName;

    /// <summary>Detaches every mount at or below the folder, the newest first. umount(8) is no help: it asks the
    /// filesystem before it unmounts and hangs when a FUSE server is dead.</summary>
    public void UnmountAll() => UnmountBelow(Path);

    public static void UnmountBelow(string path)
    {
        var root = new LinuxPath(path);
        foreach (var mount in MountTable.Read().Reverse())
        {
            if (!IsAtOrBelow(mount.MountPoint.Bytes, root.Bytes))
                continue;
            var errno = Libc.Unmount(mount.MountPoint, UnmountFlags.MNT_DETACH | UnmountFlags.UMOUNT_NOFOLLOW);
            if (errno is not (Errno.None or Errno.EINVAL or Errno.ENOENT))
                throw new LinuxException(errno, "umount2", mount.MountPoint.ToString());
        }
    }

    public async ValueTask DisposeAsync()
    {
        UnmountAll();

        // Not Directory.Delete: names that are not UTF-8 do not survive it.
        await ProcessRunner.RunAsync("rm", ["-rf", "--one-file-system", "--", Path]);
    }

    private static bool IsAtOrBelow(ReadOnlySpan<byte> path, ReadOnlySpan<byte> root) =>
        path.StartsWith(root) && (path.Length == root.Length || path[root.Length] == (byte)'/');
}
