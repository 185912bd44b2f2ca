using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_dirent, one child in the reply to READDIR; the name follows, padded to 8 bytes. In READDIRPLUS a
// fuse_entry_out comes before it:
//   0: | ino (8) | off (8), where to go on after this child | namelen (4) | type (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseDirectoryEntry(ulong inode, ulong offset, uint nameLength, uint type)
{
    // FUSE_NAME_MAX was raised over the years; no filesystem of ours has longer names than everybody else's.
    public const int NameLengthMax = 255;

    private const int Alignment = sizeof(ulong);

    public readonly ulong Inode = inode;
    public readonly ulong Offset = offset;
    public readonly uint NameLength = nameLength;
    public readonly uint Type = type;

    /// <summary>Entry, name and padding.</summary>
    public static unsafe int Length(int nameLength) => (sizeof(FuseDirectoryEntry) + nameLength + Alignment - 1) & ~(Alignment - 1);

    /// <summary>d_type: the type bits of the mode, shifted down.</summary>
    public static uint TypeOf(uint mode) => (mode >> 12) & 0xF;
}
