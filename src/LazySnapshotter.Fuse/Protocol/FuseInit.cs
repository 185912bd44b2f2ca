using System.Runtime.InteropServices;

namespace LazySnapshotter.Fuse.Protocol;

// struct fuse_init_in, at its full length since protocol 7.36; before that it ends after `flags`:
//   0: | major (4) | minor (4) | max_readahead (4) | flags (4) |
//  16: | flags2 (4) | unused (44) |
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FuseInitIn
{
    public readonly uint Major;
    public readonly uint Minor;
    public readonly uint MaxReadAhead;
    public readonly uint Flags;
}

// struct fuse_init_out:
//   0: | major (4) | minor (4) | max_readahead (4) | flags (4) |
//  16: | max_background (2) | congestion_threshold (2) | max_write (4) | time_gran (4) | max_pages (2) | map_alignment (2) |
//  32: | flags2 (4) | max_stack_depth (4) | unused (24) |
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct FuseInitOut
{
    public uint Major;
    public uint Minor;
    public uint MaxReadAhead;
    public uint Flags;
    public ushort MaxBackground;
    public ushort CongestionThreshold;
    public uint MaxWrite;
    public uint TimeGranularity;
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
}
