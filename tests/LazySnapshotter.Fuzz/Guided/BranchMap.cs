using System.Numerics;
using System.Runtime.CompilerServices;
using SharpFuzz.Common;

namespace LazySnapshotter.Fuzz.Guided;

// Which branches inputs went through, each following which, and about how often: counts are told apart as AFL does (1, 2, 3,
// 4 to 7, 8 to 15, 16 to 31, 32 to 127, more). For use where no fuzzer lends its own map.
internal sealed unsafe class BranchMap
{
    private const int Length = 1 << 16;

    private readonly byte[] _marks = GC.AllocateArray<byte>(Length, pinned: true);
    private static byte[]? _attached;

    private readonly byte[] _seen = new byte[Length];

    /// <summary>From now on branches mark this map.</summary>
    public void Attach()
    {
        // Sound: the array does not move, and is held for as long as something may mark it.
        _attached = _marks;
        Trace.SharedMem = (byte*)Unsafe.AsPointer(ref _marks[0]);
    }

    public void Begin()
    {
        _marks.AsSpan().Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>How many marks there are since <see cref="Begin"/> that no input before left; from now on they count as seen.</summary>
    public int TakeNew()
    {
        var count = 0;
        for (var i = 0; i < Length; i++)
        {
            if (_marks[i] == 0)
                continue;
            var bucket = Bucket(_marks[i]);
            if ((_seen[i] & bucket) == 0)
                count++;
            _seen[i] |= bucket;
        }

        return count;
    }

    private static byte Bucket(byte count) => count switch
    {
        <= 3 => (byte)(1 << (count - 1)),
        < 128 => (byte)(1 << Math.Min(BitOperations.Log2(count) + 1, 6)),
        _ => 1 << 7,
    };
}
