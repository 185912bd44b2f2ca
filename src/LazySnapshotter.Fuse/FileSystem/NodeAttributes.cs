namespace LazySnapshotter.Fuse.FileSystem;

// What stat(2) says of a node; the session turns it into `struct fuse_attr`. Mode holds type and permission bits
// as in st_mode. The inode number shown is the node id.
public readonly record struct NodeAttributes
{
    public required uint Mode { get; init; }

    public required long Size { get; init; }

    public uint LinkCount { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public long ModifiedSeconds { get; init; }

    public uint ModifiedNanoseconds { get; init; }

    /// <summary>Major and minor number, for character and block devices.</summary>
    public uint DeviceMajor { get; init; }

    /// <inheritdoc cref="DeviceMajor"/>
    public uint DeviceMinor { get; init; }
}
