using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_read_in, for READ, READDIR and READDIRPLUS:
//   0: | fh (8) | offset (8) | size (4) | read_flags (4) |
//  24: | lock_owner (8) | flags (4) | padding (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseReadIn
{
    public readonly ulong FileHandle;
    public readonly ulong Offset;
    public readonly uint Size;
    public readonly uint ReadFlags;
    public readonly ulong LockOwner;
    public readonly uint Flags;
    public readonly uint Padding;
}

// struct fuse_interrupt_in: | unique (8) of the request that is no longer wanted |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseInterruptIn
{
    public readonly ulong Unique;
}
