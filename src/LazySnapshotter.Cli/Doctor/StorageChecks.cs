using LazySnapshotter.Cli.Output;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Cli.Doctor;

// The root directory: whether it can be written, whether overlayfs takes it as upper directory, how much room there is.
internal static class StorageChecks
{
    private const long RoomWanted = 10L << 30;

    public static IEnumerable<Finding> Run(string root)
    {
        if (File.Exists(root))
        {
            yield return new Finding(
                Verdict.Missing, "root directory", $"{root} is a file", "the daemon cannot keep anything: choose another --root");
            yield break;
        }

        // What does not exist yet is judged by where it would be made.
        var existing = Path.GetFullPath(root);
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;

        yield return Writable(root, existing);
        var filesystem = FilesystemOf(existing);
        yield return filesystem is "overlay" or "nfs" or "nfs4" or "vfat"
            ? new Finding(Verdict.Missing, "filesystem of the root", filesystem,
                "overlayfs does not take it as an upper directory: put --root on ext4, xfs or btrfs")
            : new Finding(Verdict.Ok, "filesystem of the root", filesystem);

        var free = new DriveInfo(existing).AvailableFreeSpace;
        yield return free >= RoomWanted
            ? new Finding(Verdict.Ok, "free space", ByteSize.Format(free))
            : new Finding(Verdict.Costs, "free space", ByteSize.Format(
                free), "layers are read lazily still, but what does not fit is fetched again each time");
    }

    private static Finding Writable(string root, string existing)
    {
        var probe = Path.Combine(existing, $".lazysnap-doctor-{Environment.ProcessId}");
        try
        {
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return new Finding(
                Verdict.Ok, "root directory", existing == Path.GetFullPath(root) ? root : $"{root} (will be made in {existing})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Finding(
                Verdict.Missing, "root directory", PlainWords.Of(e.Message), "the daemon cannot keep anything: choose another --root");
        }
    }

    private static string FilesystemOf(string directory)
    {
        // The mount with the longest path above the directory; of several at one path the last is the visible one.
        var path = Libc.RealPath(directory).ToString();
        return MountTable.Read()
            .Where(mount => mount.MountPoint.ToString() is var point
                && (point == "/" || path == point || path.StartsWith(point + "/", StringComparison.Ordinal)))
            .MaxBy(mount => mount.MountPoint.Bytes.Length)?.FileSystemType ?? "unknown";
    }
}
