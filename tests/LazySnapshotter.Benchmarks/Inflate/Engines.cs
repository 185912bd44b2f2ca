using System.IO.Compression;
using System.Runtime.InteropServices;
using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Benchmarks.Inflate;

// Each decoder inflates the whole stream into the same kind of buffer and says how many bytes came out.
internal static unsafe partial class Engines
{
    private const int OutputLength = 1 << 20;

    private static readonly byte[] Output = GC.AllocateArray<byte>(Inflater.WindowLengthMax + OutputLength, pinned: true);

    public static bool HasIsal { get; } = NativeLibrary.TryLoad(IsalLibrary, out _);

    public static bool HasLibdeflate { get; } = NativeLibrary.TryLoad(LibdeflateLibrary, out _);

    public static long Ours(DeflateInMemory layer) => Ours(layer, countReach: false);

    public static long OursCountingReach(DeflateInMemory layer) => Ours(layer, countReach: true);

    private static long Ours(DeflateInMemory layer, bool countReach)
    {
        var inflater = new Inflater { CountReach = countReach };
        var input = layer.Span;
        var position = 0;
        var total = 0L;
        while (true)
        {
            var step = inflater.Inflate(input, Output, position, Output.Length, stopAtBlocks: countReach);
            input = input[step.Consumed..];
            total += step.Produced;
            position += step.Produced;
            switch (step.State)
            {
                case InflateState.StreamEnd:
                    return total;
                case InflateState.OutputFull:
                    Output.AsSpan(position - Inflater.WindowLengthMax, Inflater.WindowLengthMax).CopyTo(Output);
                    position = Inflater.WindowLengthMax;
                    break;
                case InflateState.BlockBoundary:
                    break;
                default:
                    throw new InvalidDataException(inflater.Error);
            }
        }
    }

    public static long DotnetStream(DeflateInMemory layer)
    {
        using var memory = new UnmanagedMemoryStream(layer.Data, layer.Length);
        using var deflate = new DeflateStream(memory, CompressionMode.Decompress);
        var total = 0L;
        while (true)
        {
            var length = deflate.Read(Output, 0, OutputLength);
            if (length == 0)
                return total;
            total += length;
        }
    }
}
