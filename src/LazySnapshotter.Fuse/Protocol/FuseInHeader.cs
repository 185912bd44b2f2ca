using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_in_header, before every request:
//   0: | len (4) | opcode (4) | unique (8) |
//  16: | nodeid (8)           | uid (4) | gid (4) |
//  32: | pid (4) | total_extlen (2) | padding (2) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseInHeader
{
    // A request that is sent again after the server died (FUSE_NOTIFY_RESEND) has this bit set in `unique`.
    public const ulong FUSE_UNIQUE_RESEND = 1UL << 63;

    public readonly uint Length;
    public readonly FuseOpcode Opcode;
    public readonly ulong Unique;
    public readonly ulong NodeId;
    public readonly uint Uid;
    public readonly uint Gid;
    public readonly uint Pid;
    public readonly ushort ExtensionsLength;
    public readonly ushort Padding;
}
