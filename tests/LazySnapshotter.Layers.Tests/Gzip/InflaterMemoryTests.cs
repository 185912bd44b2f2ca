using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// No input makes the decoder touch a byte outside its buffers: they lie between pages that end the process when touched.
public sealed class InflaterMemoryTests
{
    private const int Rounds = 4000;

    [Fact]
    public void Damaged_streams_touch_nothing_outside_of_the_buffers()
    {
        using var inputMemory = new GuardedMemory(16 * 4096);
        using var outputMemory = new GuardedMemory(32 * 4096);
        var random = new Random(7);
        var inflater = new Inflater();
        var referenced = new ulong[WindowMarker.WordCount];
        byte[][] streams =
        [
            DeflateSamples.Everything,
            DeflateSamples.Deflate(DeflateSamples.Content[..20_000], System.IO.Compression.CompressionLevel.Fastest),
            DeflateSamples.Deflate(DeflateSamples.Content[100_000..160_000], System.IO.Compression.CompressionLevel.SmallestSize),
            .. new[] { new byte[500], [.. Enumerable.Repeat((byte)0xFF, 500)] },
        ];
        for (var round = 0; round < Rounds; round++)
        {
            var damaged = (byte[])streams[random.Next(streams.Length)].Clone();
            for (var i = random.Next(6); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var length = Math.Min(random.Next(4) == 0 ? random.Next(damaged.Length + 1) : damaged.Length, 16 * 4096);
            var input = random.Next(2) == 0 ? inputMemory.Head(length) : inputMemory.Tail(length);
            damaged.AsSpan(0, length).CopyTo(input);

            var position = random.Next(3) switch { 0 => 0, 1 => random.Next(300), _ => 32768 };
            var limit = position + random.Next(random.Next(2) == 0 ? 700 : 90_000);
            var output = random.Next(2) == 0 ? outputMemory.Head(limit) : outputMemory.Tail(limit);
            inflater.Reset(random.Next(8));
            inflater.CountReach = random.Next(2) == 0;
            var piece = random.Next(3) == 0 ? random.Next(1, 100) : int.MaxValue;
            while (true)
            {
                var step = inflater.Inflate(
                    input[..Math.Min(input.Length, piece)], output, position, limit, stopAtBlocks: random.Next(2) == 0);
                input = input[step.Consumed..];
                position += step.Produced;
                if (step.State is InflateState.Corrupt or InflateState.StreamEnd or InflateState.OutputFull
                    || (step.State == InflateState.NeedInput && input.IsEmpty))
                    break;
            }

            if (round % 8 == 0)
                WindowMarker.Mark(
                    inputMemory.Tail(length), random.Next(8), output[..Math.Min(output.Length, random.Next(32769))], referenced);
        }
    }
}
