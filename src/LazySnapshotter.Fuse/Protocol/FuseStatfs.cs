using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_kstatfs, the reply to STATFS:
//   0: | blocks (8) | bfree (8) | bavail (8) | files (8) | ffree (8) |
//  40: | bsize (4) | namelen (4) | frsize (4) | padding (4) | spare (24) |
[StructLayout(LayoutKind.Sequential, Size = 80)]
internal readonly struct FuseStatfs
{
    private const uint BlockLength = 4096;

    public readonly ulong Blocks;
    public readonly ulong BlocksFree;
    public readonly ulong BlocksAvailable;
    public readonly ulong Files;
    public readonly ulong FilesFree;
    public readonly uint BlockSize;
    public readonly uint NameLengthMax;
    public readonly uint FragmentSize;

    public FuseStatfs(FileSystemTotals totals)
    {
        Blocks = ((ulong)totals.Bytes + BlockLength - 1) / BlockLength;
        Files = (ulong)totals.Nodes;
        BlockSize = FragmentSize = BlockLength;
        NameLengthMax = FuseDirectoryEntry.NameLengthMax;
    }
}
