using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse;

// How many requests one reader thread took, by opcode. Written by that thread only, read by anybody.
internal sealed class FuseStatistics
{
    private readonly long[] _counts = new long[64];

    public void Count(FuseOpcode opcode)
    {
        if ((uint)opcode < (uint)_counts.Length)
            Volatile.Write(ref _counts[(int)opcode], _counts[(int)opcode] + 1);
    }

    public long this[FuseOpcode opcode] => (uint)opcode < (uint)_counts.Length ? Volatile.Read(ref _counts[(int)opcode]) : 0;
}
