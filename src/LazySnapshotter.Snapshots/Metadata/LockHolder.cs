using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Snapshots.Metadata;

// Who holds a flock(2), as /proc/locks (proc_locks(5)) tells it:
//
//   1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF        number, kind, how, pid, device:inode, range
internal static class LockHolder
{
    private const int KindField = 1;
    private const int PidField = 4;
    private const int InodeField = 5;

    /// <returns>A process id of this pid namespace; null where it cannot be known.</returns>
    public static int? Find(string path)
    {
        if (Libc.TryGetStatus(path, out var status) != Errno.None)
            return null;
        // The device is left aside: btrfs has other numbers there than in stat(2).
        var inode = status.Inode.ToString(CultureInfo.InvariantCulture);
        try
        {
            return File.ReadLines("/proc/locks")
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields.Length > InodeField && fields[KindField] == "FLOCK" && fields[InodeField].Split(':')[^1] == inode)
                .Select(fields => int.TryParse(fields[PidField], CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : (int?)null)
                .FirstOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
