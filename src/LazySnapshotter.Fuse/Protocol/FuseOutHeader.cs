using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_out_header, before every reply and notification:
//   0: | len (4) | error (4), negative errno or notify code | unique (8), 0 for a notification |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseOutHeader(uint length, int error, ulong unique)
{
    public readonly uint Length = length;
    public readonly int Error = error;
    public readonly ulong Unique = unique;
}
