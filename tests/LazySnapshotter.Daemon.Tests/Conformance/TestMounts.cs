using System.Runtime.InteropServices;
using Containerd.Types;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// Mounts what a snapshotter answers the way containerd's mount package does: flags apart from data, a second call to
// make a bind read-only, and lower directories made relative to what they have in common where the options would not
// fit the kernel's page. For that the mount happens in a thread with a working directory of its own.
internal static partial class TestMounts
{
    private const int PageLength = 4096;
    private const int PageReserve = 512;
    private const string LowerDirectory = "lowerdir=";
    private const int CLONE_FS = 0x200;

    public static void MountAll(IEnumerable<Mount> mounts, string target)
    {
        foreach (var mount in mounts)
            MountOne(mount, target);
    }

    // Detached, as containerd's own suite does. Without it EBUSY was seen once, while other tests started containers; the
    // cause was not established (a copy of the mount in a namespace just being made is the likeliest).
    public static void Unmount(string target)
    {
        if (Libc.Unmount(target, UnmountFlags.MNT_DETACH | UnmountFlags.UMOUNT_NOFOLLOW) is not Errno.None and var errno)
            throw new LinuxException(errno, "umount2", target);
    }

    /// <summary>Unmounts everything below a directory, whatever a failed test left mounted.</summary>
    public static void UnmountBelow(string directory)
    {
        foreach (var entry in MountTable.Read().Reverse())
        {
            if (entry.MountPoint.ToString().StartsWith(directory + "/", StringComparison.Ordinal))
                Libc.Unmount(entry.MountPoint, UnmountFlags.MNT_DETACH);
        }
    }

    private static void MountOne(Mount mount, string target)
    {
        IReadOnlyList<string> options = [.. mount.Options];
        string? common = null;
        if (mount.Type == "overlay" && options.Sum(option => option.Length + 1) >= PageLength - PageReserve)
            (common, options) = Compact(options);

        var flags = MountFlags.None;
        var data = new List<string>();
        foreach (var option in options)
        {
            switch (option)
            {
                case "ro":
                    flags |= MountFlags.MS_RDONLY;
                    break;
                case "rw":
                    break;
                case "bind":
                    flags |= MountFlags.MS_BIND;
                    break;
                case "rbind":
                    flags |= MountFlags.MS_BIND | MountFlags.MS_REC;
                    break;
                default:
                    data.Add(option);
                    break;
            }
        }

        InDirectory(common, () => Libc.Mount(mount.Source, target, mount.Type, flags, string.Join(',', data)));
        if (flags.HasFlag(MountFlags.MS_BIND | MountFlags.MS_RDONLY))
            Libc.Mount("", target, "", flags | MountFlags.MS_REMOUNT, "");
    }

    private static (string? Common, IReadOnlyList<string> Options) Compact(IReadOnlyList<string> options)
    {
        var lower = options.Single(option => option.StartsWith(LowerDirectory, StringComparison.Ordinal));
        var directories = lower[LowerDirectory.Length..].Split(':');
        var shared = directories[0];
        foreach (var directory in directories)
            shared = shared[..shared.AsSpan().CommonPrefixLength(directory)];
        var common = Path.GetDirectoryName(shared);
        if (directories.Length == 1 || string.IsNullOrEmpty(common) || common == "/")
            return (null, options);

        var relative = LowerDirectory + string.Join(':', directories.Select(directory => directory[(common.Length + 1)..]));
        return (common, [.. options.Select(option => option == lower ? relative : option)]);
    }

    // Threads share the working directory until unshare(CLONE_FS), so only a thread of one's own may leave it.
    private static void InDirectory(string? directory, Action action)
    {
        if (directory is null)
        {
            action();
            return;
        }

        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (unshare(CLONE_FS) != 0 || chdir(directory) != 0)
                    throw new LinuxException((Errno)Marshal.GetLastPInvokeError(), "unshare, chdir", directory);
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new IOException(failure.Message, failure);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chdir(string path);
}
