namespace LazySnapshotter.Linux;

// What statx(2) says of a file, links not followed.
public readonly record struct FileStatus
{
    /// <summary>Type and permission bits, as in st_mode.</summary>
    public required uint Mode { get; init; }

    public required ulong Inode { get; init; }

    public required uint LinkCount { get; init; }

    public required uint Uid { get; init; }

    public required uint Gid { get; init; }

    public required long Size { get; init; }

    /// <summary>Disk space taken, in units of 512 bytes.</summary>
    public required long Blocks { get; init; }

    public required long ModifiedSeconds { get; init; }

    public required uint ModifiedNanoseconds { get; init; }

    /// <summary>What a device node stands for.</summary>
    public required uint DeviceMajor { get; init; }

    /// <inheritdoc cref="DeviceMajor"/>
    public required uint DeviceMinor { get; init; }

    /// <summary>The filesystem that holds the file.</summary>
    public required uint FileSystemMajor { get; init; }

    /// <inheritdoc cref="FileSystemMajor"/>
    public required uint FileSystemMinor { get; init; }

    public FileType Type => (FileType)(Mode & ModeBits.S_IFMT);
}

// The file type bits of st_mode (inode(7)).
public enum FileType : uint
{
    S_IFIFO = 0x1000,
    S_IFCHR = 0x2000,
    S_IFDIR = 0x4000,
    S_IFBLK = 0x6000,
    S_IFREG = 0x8000,
    S_IFLNK = 0xA000,
    S_IFSOCK = 0xC000,
}

// Masks and bits of st_mode (inode(7)) that go with FileType.
public static class ModeBits
{
    public const uint S_IFMT = 0xF000;
    public const uint S_ISUID = 0x800;
    public const uint S_ISGID = 0x400;
    public const uint S_ISVTX = 0x200;
    public const uint PermissionMask = 0xFFF;
}
