using System.Numerics;
using System.Runtime.CompilerServices;
using SharpFuzz.Common;

namespace LazySnapshotter.Fuzz.Guided;

// Which branches an input went through, each following which, and about how often: counts are told apart as AFL does (1, 2, 3,
// 4 to 7, 8 to 15, 16 to 31, 32 to 127, more). For use where no fuzzer lends its own map.
internal sealed unsafe class BranchMap
{
    private const int Length = 1 << 16;
    private const int BucketCount = 8;

    private static byte[]? _attached;

    private readonly byte[] _counts = GC.AllocateArray<byte>(Length, pinned: true);

    /// <summary>From now on branches mark this map.</summary>
    public void Attach()
    {
        // Sound: the array does not move, and is held for as long as something may mark it.
        _attached = _counts;
        Trace.SharedMem = (byte*)Unsafe.AsPointer(ref _counts[0]);
    }

    /// <summary>What an input leaves: a number for each pair of branches and how often.</summary>
    public HashSet<int> MarksOf(Action run)
    {
        _counts.AsSpan().Clear();
        Trace.PrevLocation = 0;
        run();
        var marks = new HashSet<int>();
        for (var i = 0; i < Length; i++)
        {
            if (_counts[i] > 0)
                marks.Add(i * BucketCount + Bucket(_counts[i]));
        }

        return marks;
    }

    private static int Bucket(byte count) => count switch
    {
        <= 3 => count - 1,
        < 128 => Math.Min(BitOperations.Log2(count) + 1, 6),
        _ => 7,
    };
}
