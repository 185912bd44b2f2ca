using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_getxattr_in, for GETXATTR (the name follows) and LISTXATTR: | size (4), 0 asks for the length | padding (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseGetXattrIn
{
    public readonly uint Size;
    public readonly uint Padding;
}

// struct fuse_getxattr_out, the answer when only the length was asked for: | size (4) | padding (4) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseGetXattrOut(uint size)
{
    public readonly uint Size = size;
    public readonly uint Padding;
}
