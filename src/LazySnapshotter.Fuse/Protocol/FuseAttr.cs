using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_attr:
//   0: | ino (8)   | size (8)  | blocks (8) |
//  24: | atime (8) | mtime (8) | ctime (8)  | atimensec (4) | mtimensec (4) | ctimensec (4) |
//  60: | mode (4) | nlink (4) | uid (4) | gid (4) | rdev (4) | blksize (4) | flags (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseAttr
{
    // st_blksize, and what the kernel sizes its page cache by: anything but a page has had bugs (iomap, 6.16).
    private const uint BlockSize = 4096;

    // st_blocks counts these, whatever the block size.
    private const int SectorSize = 512;

    public readonly ulong Inode;
    public readonly ulong Size;
    public readonly ulong Blocks;
    public readonly long AccessedSeconds;
    public readonly long ModifiedSeconds;
    public readonly long ChangedSeconds;
    public readonly uint AccessedNanoseconds;
    public readonly uint ModifiedNanoseconds;
    public readonly uint ChangedNanoseconds;
    public readonly uint Mode;
    public readonly uint LinkCount;
    public readonly uint Uid;
    public readonly uint Gid;
    public readonly uint Device;
    public readonly uint BlockLength;
    public readonly uint Flags;

    public FuseAttr(NodeId node, in NodeAttributes attributes)
    {
        Inode = node.Value;
        Size = (ulong)attributes.Size;
        Blocks = ((ulong)attributes.Size + SectorSize - 1) / SectorSize;
        AccessedSeconds = ModifiedSeconds = ChangedSeconds = attributes.ModifiedSeconds;
        AccessedNanoseconds = ModifiedNanoseconds = ChangedNanoseconds = attributes.ModifiedNanoseconds;
        Mode = attributes.Mode;
        LinkCount = attributes.LinkCount;
        Uid = attributes.Uid;
        Gid = attributes.Gid;
        Device = EncodeDevice(attributes.DeviceMajor, attributes.DeviceMinor);
        BlockLength = BlockSize;
        Flags = 0;
    }

    // The kernel's new_encode_dev: minor bits 0-7 at 0, major (12 bits) at 8, minor bits 8-19 at 20.
    private static uint EncodeDevice(uint major, uint minor) => (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12);
}

// struct fuse_attr_out, the reply to GETATTR:
//   0: | attr_valid (8), seconds | attr_valid_nsec (4) | dummy (4) | attr (88) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseAttrOut(FuseAttr attributes, ulong validSeconds)
{
    public readonly ulong ValidSeconds = validSeconds;
    public readonly uint ValidNanoseconds;
    public readonly uint Dummy;
    public readonly FuseAttr Attributes = attributes;
}

// struct fuse_entry_out, the reply to LOOKUP. A node id of 0 says that there is no such name, and for how long:
//   0: | nodeid (8) | generation (8) | entry_valid (8) | attr_valid (8) |
//  32: | entry_valid_nsec (4) | attr_valid_nsec (4) | attr (88) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseEntryOut(NodeId node, FuseAttr attributes, ulong entryValidSeconds, ulong attributesValidSeconds)
{
    // The kernel turns what it cannot hold in jiffies into "for ever".
    public const ulong ForEver = ulong.MaxValue;

    public readonly ulong NodeId = node.Value;
    public readonly ulong Generation;
    public readonly ulong EntryValidSeconds = entryValidSeconds;
    public readonly ulong AttributesValidSeconds = attributesValidSeconds;
    public readonly uint EntryValidNanoseconds;
    public readonly uint AttributesValidNanoseconds;
    public readonly FuseAttr Attributes = attributes;
}
