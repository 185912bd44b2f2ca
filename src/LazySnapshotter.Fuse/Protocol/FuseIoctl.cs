using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_ioctl_in; the argument's bytes follow:
//   0: | fh (8) | flags (4) | cmd (4) | arg (8) | in_size (4) | out_size (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseIoctlIn
{
    // linux/fs.h: what lsattr(1) asks, and overlayfs before it copies a file up; the second is that of 32 bit programs.
    private const uint FS_IOC_GETFLAGS = 0x80086601;
    private const uint FS_IOC32_GETFLAGS = 0x80046601;
    private const int FlagsLength = sizeof(uint);

    public readonly ulong FileHandle;
    public readonly uint Flags;
    public readonly uint Command;
    public readonly ulong Argument;
    public readonly uint InLength;
    public readonly uint OutLength;

    /// <summary>Whether the inode's flags (immutable, append only ..) are asked for.</summary>
    public bool AsksForInodeFlags => Command is FS_IOC_GETFLAGS or FS_IOC32_GETFLAGS && OutLength >= FlagsLength;
}

// struct fuse_ioctl_out, with the inode's flags behind it, of which there are none:
//   0: | result (4) | flags (4) | in_iovs (4) | out_iovs (4) | inode flags (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseIoctlOutInodeFlags
{
    public readonly int Result;
    public readonly uint Flags;
    public readonly uint InVectors;
    public readonly uint OutVectors;
    public readonly uint InodeFlags;
}
