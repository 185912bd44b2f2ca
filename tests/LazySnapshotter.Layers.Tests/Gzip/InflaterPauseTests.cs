using System.IO.Compression;
using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Stopping between two symbols of a block, and going on there with another inflater.
public sealed class InflaterPauseTests
{
    /// <param name="At">Where it was asked for.</param>
    private sealed record Pause(int At, long StartBit, int OutputOffset, DeflateBlock Block);

    public static TheoryData<string> Streams => ["everything", "fast", "small", "stored", "zeros"];

    [Theory]
    [MemberData(nameof(Streams))]
    public void From_every_pause_the_rest_comes_out(string name)
    {
        var stream = StreamOf(name);
        var whole = Inflated.Of(stream);
        var (output, pauses) = RunWithPauses(stream, _ => 1 + whole.Output.Length / 300);
        Assert.Equal(whole.Output, output);
        Assert.InRange(pauses.Count, 50, 400);
        foreach (var pause in pauses)
        {
            var inflater = new Inflater();
            inflater.Resume(pause.Block, (int)(pause.StartBit & 7));
            Assert.Equal(whole.Output[pause.OutputOffset..], Rest(
                inflater, stream.AsSpan((int)(pause.StartBit / 8)), whole.Output, pause.OutputOffset));
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_pause_is_where_it_is_however_input_and_room_are_cut(string name)
    {
        var stream = StreamOf(name);
        var (output, pauses) = RunWithPauses(stream, _ => 1000);
        var random = new Random(5);
        foreach (var (pieceMax, roomMax) in new[] { (1_000_000, 1_000_000), (3, 100_000), (50, 700), (5000, 300), (100_000, 1) })
        {
            // Counting takes another way to a pause.
            var cut = RunWithPauses(
                stream, _ => 1000, () => random.Next(1, pieceMax + 1), () => random.Next(1, roomMax + 1), countReach: roomMax != 700);
            Assert.Equal(output, cut.Output);
            Assert.Equal(pauses.Select(
                pause => (pause.StartBit, pause.OutputOffset)), cut.Pauses.Select(pause => (pause.StartBit, pause.OutputOffset)));
        }
    }

    [Fact]
    public void A_pause_comes_with_the_first_symbol_that_ends_there_or_behind()
    {
        var stream = StreamOf("fast");
        var every = RunWithPauses(stream, _ => 1).Pauses.Select(pause => pause.OutputOffset).ToList();
        foreach (var distance in new[] { 2, 100, 5000 })
            Assert.All(RunWithPauses(stream, _ => distance).Pauses, pause =>
                Assert.Equal(every.Find(offset => offset >= pause.At), pause.OutputOffset));
    }

    [Fact]
    public void Behind_the_limit_there_is_no_pause_and_at_it_there_is()
    {
        var stream = DeflateSamples.Deflate([1, 2, 3, 4, 5], CompressionLevel.Optimal);
        var inflater = new Inflater();
        Assert.Equal(InflateState.OutputFull, inflater.Inflate(stream, new byte[10], 0, 3, stopAtBlocks: false, pauseAt: 4).State);
        inflater.Reset();
        Assert.Equal(InflateState.Paused, inflater.Inflate(stream, new byte[10], 0, 3, stopAtBlocks: false, pauseAt: 3).State);
    }

    [Fact]
    public void What_has_not_paused_cannot_be_saved()
    {
        Assert.Throws<InvalidOperationException>(() => new Inflater().SaveBlock());
        var inflater = new Inflater();
        inflater.Inflate(StreamOf("zeros"), new byte[100], 0, 50, stopAtBlocks: false); // ends inside a match
        Assert.Throws<InvalidOperationException>(inflater.SaveBlock);
    }

    private static byte[] StreamOf(string name) => name switch
    {
        "everything" => DeflateSamples.Everything,
        "fast" => DeflateSamples.Deflate(DeflateSamples.Content[..150_000], CompressionLevel.Fastest),
        "small" => DeflateSamples.Deflate(DeflateSamples.Content[..150_000], CompressionLevel.SmallestSize),
        "stored" => DeflateSamples.Deflate(DeflateSamples.Content[..150_000], CompressionLevel.NoCompression),
        _ => DeflateSamples.Deflate(new byte[100_000], CompressionLevel.Optimal),
    };

    private static (byte[] Output, List<Pause> Pauses) RunWithPauses(
        byte[] stream, Func<int, int> distance, Func<int>? piece = null, Func<int>? room = null, bool countReach = false)
    {
        var inflater = new Inflater { CountReach = countReach };
        var buffer = new byte[1 << 20];
        var pauses = new List<Pause>();
        var (consumed, produced, pauseAt) = (0, 0, distance(0));
        while (true)
        {
            var length = Math.Min(stream.Length - consumed, piece?.Invoke() ?? int.MaxValue);
            var limit = Math.Min(buffer.Length, produced + (room?.Invoke() ?? buffer.Length));
            var step = inflater.Inflate(stream.AsSpan(consumed, length), buffer, produced, limit, stopAtBlocks: false, pauseAt);
            consumed += step.Consumed;
            produced += step.Produced;
            switch (step.State)
            {
                case InflateState.Paused:
                    Assert.InRange(produced - pauseAt, 0, 257);
                    pauses.Add(new Pause(pauseAt, consumed * 8L - step.UnusedBits, produced, inflater.SaveBlock()));
                    pauseAt = produced + distance(produced);
                    break;
                case InflateState.NeedInput or InflateState.OutputFull:
                    break;
                default:
                    Assert.Equal(InflateState.StreamEnd, step.State);
                    return (buffer[..produced], pauses);
            }
        }
    }

    private static byte[] Rest(Inflater inflater, ReadOnlySpan<byte> input, byte[] whole, int offset)
    {
        var window = whole.AsSpan(Math.Max(0, offset - Inflater.WindowLengthMax)..offset);
        var buffer = new byte[window.Length + whole.Length - offset];
        window.CopyTo(buffer);
        var step = inflater.Inflate(input, buffer, window.Length, buffer.Length, stopAtBlocks: false);
        Assert.Equal(InflateState.StreamEnd, step.State);
        return buffer[window.Length..];
    }
}
