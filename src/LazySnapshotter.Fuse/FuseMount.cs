using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse;

// A FUSE filesystem in the mount table, and the descriptor over which the kernel talks to whoever serves it. Made with
// mount(2) alone, so it needs root and no helper. Everything here asks the mount table and never the mount, so that it
// works when nobody answers there.
//
// Device nodes, setuid binaries and file capabilities below the mount keep their meaning: containers need them, so there is
// no MS_NODEV and no MS_NOSUID. Who may see the mount point is the parent directory's business.
public sealed class FuseMount : IDisposable
{
    /// <summary>As the mount table shows it; also how a mount left behind by an earlier process is recognised.</summary>
    public const string FileSystemType = "fuse.lazysnap";

    private const string DevicePath = "/dev/fuse";

    private readonly LinuxPath _mountPoint;
    private readonly MountEntry _entry;

    private FuseMount(LinuxFileHandle device, LinuxPath mountPoint, MountEntry entry, FuseMountOptions options)
    {
        Device = device;
        _mountPoint = mountPoint;
        _entry = entry;
        Options = options;
    }

    /// <summary>Absolute, without links.</summary>
    public string MountPoint => _mountPoint.ToString();

    internal LinuxFileHandle Device { get; }

    internal FuseMountOptions Options { get; }

    /// <summary>
    /// Mounts at a directory, which is made if it is missing. A mount of ours that is still there has lost its server and
    /// is taken away first.
    /// </summary>
    /// <exception cref="LinuxException">No /dev/fuse, no privilege, not a directory.</exception>
    public static FuseMount Create(string directory, FuseMountOptions options)
    {
        var full = Path.GetFullPath(directory);
        var parent = Path.GetDirectoryName(full) ?? throw new ArgumentException("cannot mount over the root directory", nameof(directory));
        Directory.CreateDirectory(parent);

        // Only the parent is resolved: asking for the directory itself would ask the dead server of a stale mount.
        var mountPoint = Libc.RealPath(parent).Append(System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(full)));
        RemoveStale(mountPoint);
        Directory.CreateDirectory(mountPoint.ToString());

        var device = Libc.Open(DevicePath, OpenFlags.O_RDWR | OpenFlags.O_NONBLOCK);
        try
        {
            // default_permissions: the kernel checks modes itself (and FUSE_ALLOW_IDMAP demands it).
            var data = string.Create(
                CultureInfo.InvariantCulture,
                $"fd={device.Descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions");
            Libc.Mount(options.Source, mountPoint, FileSystemType, MountFlags.MS_RDONLY, data);
            var entry = MountTable.Find(mountPoint) ?? throw new LinuxException(Errno.ENOENT, "mountinfo", mountPoint.ToString());
            return new FuseMount(device, mountPoint, entry, options);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes the mount out of the tree. Where it is in use it stays alive for its users, and what they still ask fails
    /// once the descriptor is closed.
    /// </summary>
    public void Unmount()
    {
        // Somebody may have unmounted ours and put something else there; numbers are used again.
        if (MountTable.Find(_mountPoint) is not { } there || there.Id != _entry.Id || there.FileSystemType != FileSystemType)
            return;

        var errno = Libc.Unmount(_mountPoint, UnmountFlags.UMOUNT_NOFOLLOW);
        if (errno == Errno.EBUSY)
            errno = Libc.Unmount(_mountPoint, UnmountFlags.UMOUNT_NOFOLLOW | UnmountFlags.MNT_DETACH);
        if (errno is not (Errno.None or Errno.EINVAL))
            throw new LinuxException(errno, "umount2", MountPoint);
    }

    /// <summary>Unmounts and closes the descriptor; requests nobody answered fail with ECONNABORTED.</summary>
    public void Dispose()
    {
        if (Device.IsClosed)
            return;

        // In this order: whatever becomes of the mount, nobody waits for us any more, and the mount table can be read even if
        // the descriptor was the last one to be had.
        Device.Dispose();
        Unmount();
    }

    // After INIT, which cuts it down to FUSE's limit. Only root may, and /sys may be read-only in a container.
    internal void RaiseReadAhead()
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/sys/class/bdi/{_entry.DeviceMajor}:{_entry.DeviceMinor}/read_ahead_kb");
        File.WriteAllText(path, Options.ReadAheadKibibytes.ToString(CultureInfo.InvariantCulture));
    }

    // They may lie on top of each other. A mount of any other type is left alone, and mounted over.
    private static void RemoveStale(LinuxPath mountPoint)
    {
        while (MountTable.Find(mountPoint)?.FileSystemType == FileSystemType)
        {
            var errno = Libc.Unmount(mountPoint, UnmountFlags.UMOUNT_NOFOLLOW | UnmountFlags.MNT_DETACH);
            if (errno != Errno.None)
                throw new LinuxException(errno, "umount2", mountPoint.ToString());
        }
    }
}
