namespace LazySnapshotter.Layers.Toc;

// What stat(2) would say of one inode of a layer, had containerd unpacked it. Hard links share one entry.
public readonly record struct TocEntry
{
    public required TocEntryType Type { get; init; }

    /// <summary>Permission bits with setuid, setgid and sticky (07777).</summary>
    public required uint Mode { get; init; }

    public required uint Uid { get; init; }

    public required uint Gid { get; init; }

    public required long MtimeSeconds { get; init; }

    public required uint MtimeNanoseconds { get; init; }

    /// <summary>Length of a file (holes included) or of a symbolic link's target, otherwise 0.</summary>
    public required long Size { get; init; }

    /// <summary>Names of a file; 2 and the subdirectories of a directory.</summary>
    public required uint LinkCount { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    /// <summary>
    /// A directory the tar has only as part of longer names. containerd gives it the attributes it has in the layers
    /// below, where it is there; owner and mode here are what it gets otherwise (root, 0755).
    /// </summary>
    public bool IsImplicit { get; init; }

    /// <summary>
    /// A directory that the tar has as part of longer names first, and on its own later. containerd gives it the extended
    /// attributes it has in the layers below, and then those of its header.
    /// </summary>
    public bool IsNamedLate { get; init; }

    /// <summary>Whether overlayfs takes this for "gone": a character device 0:0.</summary>
    public bool IsWhiteout => Type == TocEntryType.CharacterDevice && DeviceMajor == 0 && DeviceMinor == 0;
}
