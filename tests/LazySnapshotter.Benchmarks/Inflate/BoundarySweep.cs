using System.Runtime.InteropServices;
using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Benchmarks.Inflate;

// Not a race: every block boundary of the large layers is started from, with a window in which every byte that
// WindowMarker did not mark is wrong, and what comes out is compared with the tar. (The unit tests do the same with small layers.)
internal static unsafe class BoundarySweep
{
    private const int Behind = 64 * 1024;

    public static void Run(IReadOnlyList<(string Name, string Path)> layers)
    {
        // Sound: as long as the file, and lives as long as the process.
        var tarFile = new FileInfo(Path.Combine(Path.GetDirectoryName(layers[0].Path)!, "layer.tar"));
        var tar = (byte*)NativeMemory.Alloc((nuint)tarFile.Length);
        using (var stream = tarFile.OpenRead())
            stream.ReadExactly(new Span<byte>(tar, checked((int)tarFile.Length)));
        foreach (var (name, path) in layers)
        {
            using var layer = new DeflateInMemory(path);
            var boundaries = FindBoundaries(layer, tar);
            long unmarked = 0;
            Parallel.ForEach(
                boundaries, () => 0L, (boundary, _, sum) => sum + Check(layer, tar, boundary), sum => Interlocked.Add(ref unmarked, sum));
            var share = 1 - (double)unmarked / boundaries.Sum(boundary => (double)WindowLength(boundary.Offset));
            Console.WriteLine(
                $"{name}: {boundaries.Count} boundaries started from, all right; {share:P1} of the window bytes are referred to");
        }
    }

    private static int WindowLength(long offset) => (int)Math.Min(offset, Inflater.WindowLengthMax);

    /// <summary>Inflates the layer once, compares all of it, and notes where blocks start.</summary>
    private static List<(long Bit, long Offset)> FindBoundaries(DeflateInMemory layer, byte* tar)
    {
        var inflater = new Inflater();
        var boundaries = new List<(long Bit, long Offset)> { (0, 0) };
        var buffer = new byte[1 << 20];
        var (consumed, offset, position) = (0, 0L, 0);
        while (true)
        {
            var step = inflater.Inflate(layer.Span[consumed..], buffer, position, buffer.Length, stopAtBlocks: true);
            if (!buffer.AsSpan(position, step.Produced).SequenceEqual(new Span<byte>(tar + offset, step.Produced)))
                throw new InvalidDataException($"other bytes than the tar's behind offset {offset}");
            consumed += step.Consumed;
            offset += step.Produced;
            position += step.Produced;
            switch (step.State)
            {
                case InflateState.BlockBoundary:
                    boundaries.Add((consumed * 8L - step.UnusedBits, offset));
                    break;
                case InflateState.OutputFull:
                    buffer.AsSpan(^Inflater.WindowLengthMax..).CopyTo(buffer);
                    position = Inflater.WindowLengthMax;
                    break;
                case InflateState.StreamEnd:
                    return boundaries;
                default:
                    throw new InvalidDataException($"{step.State} behind {offset}: {inflater.Error}");
            }
        }
    }

    /// <returns>How many bytes of the window nothing refers to.</returns>
    private static int Check(DeflateInMemory layer, byte* tar, (long Bit, long Offset) boundary)
    {
        var (bit, offset) = boundary;
        var input = layer.Span[(int)(bit / 8)..];
        var length = (int)Math.Min(Behind, layer.UncompressedLength - offset);
        var window = new Span<byte>(tar + offset - WindowLength(offset), WindowLength(offset)).ToArray();
        var referenced = new ulong[WindowMarker.WordCount];
        if (!WindowMarker.Mark(input, (int)(bit % 8), window, referenced))
            throw new InvalidDataException($"cannot mark from {boundary} on");
        var unmarked = 0;
        var buffer = new byte[window.Length + length];
        for (var i = 0; i < window.Length; i++)
        {
            var isMarked = (referenced[i / 64] >> i % 64 & 1) != 0;
            unmarked += isMarked ? 0 : 1;
            buffer[i] = isMarked ? window[i] : (byte)~window[i];
        }

        var inflater = new Inflater();
        inflater.Reset((int)(bit % 8));
        inflater.Inflate(input, buffer, window.Length, buffer.Length, stopAtBlocks: false);
        if (!buffer.AsSpan(window.Length).SequenceEqual(new Span<byte>(tar + offset, length)))
            throw new InvalidDataException($"other bytes than the tar's from {boundary} on");
        return unmarked;
    }
}
