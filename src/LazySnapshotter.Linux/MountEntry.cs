namespace LazySnapshotter.Linux;

// One line of /proc/self/mountinfo (proc(5)), without escapes.
public sealed record MountEntry(
    int Id,
    int ParentId,
    uint DeviceMajor,
    uint DeviceMinor,
    LinuxPath Root,
    LinuxPath MountPoint,
    string Options,
    string FileSystemType,
    LinuxPath Source,
    string SuperOptions);
