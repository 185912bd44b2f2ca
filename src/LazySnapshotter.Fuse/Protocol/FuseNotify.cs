using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Fuse.Protocol;

// enum fuse_notify_code: what the server tells the kernel unasked; stands where a reply has its error.
internal enum FuseNotifyCode
{
    FUSE_NOTIFY_INVAL_ENTRY = 3,
}

// struct fuse_notify_inval_entry_out; the name and a zero byte follow:
//   0: | parent (8) | namelen (4) | flags (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseNotifyInvalidEntry(NodeId parent, uint nameLength)
{
    public readonly ulong Parent = parent.Value;
    public readonly uint NameLength = nameLength;
    public readonly uint Flags;
}
