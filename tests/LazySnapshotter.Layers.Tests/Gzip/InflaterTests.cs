using System.IO.Compression;
using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.TestSupport.Deflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// What the decoder promises of sound streams: whatever made them, however input and room are cut.
public sealed class InflaterTests
{
    [Fact]
    public void Everything_deflate_has_comes_out_as_zlib_ng_and_the_specification_have_it()
    {
        var stream = DeflateSamples.Everything;
        var expected = ZlibNg.Inflate(stream, 1 << 20);
        Assert.Equal(ZlibNgEnd.StreamEnd, expected.End);
        var reference = ReferenceInflater.Run(stream);
        Assert.Equal(expected.Output, reference.Output);

        var inflated = Inflated.Of(stream, countReach: true);
        Assert.Equal(InflateState.StreamEnd, inflated.State);
        Assert.Equal(expected.Output, inflated.Output);
        Assert.Equal(expected.Consumed, inflated.Consumed);
        Assert.Equal(reference.Blocks.Skip(1)
            .Select(block => ((long)block.StartBit, block.OutputOffset)), inflated.Boundaries.Select(at => (at.StartBit, at.OutputOffset)));
        Assert.Equal(reference.Blocks.SkipLast(1).Select(block => block.Reach), inflated.Boundaries.Select(at => at.Reach));
    }

    [Fact]
    public void Bytes_behind_the_stream_are_not_consumed()
    {
        var stream = DeflateSamples.Everything;
        Assert.Equal(stream.Length, Inflated.Of([.. stream, .. new byte[100]]).Consumed);
    }

    [Fact]
    public void Input_cut_into_pieces_of_every_size_gives_the_same()
    {
        var stream = DeflateSamples.Everything;
        var whole = Inflated.Of(stream, countReach: true);
        for (var size = 1; size <= stream.Length; size += size < 70 ? 1 : 37)
            AssertSame(whole, Inflated.Of(stream, piece: _ => size, countReach: true, outputMax: whole.Output.Length), $"pieces of {size}");

        var content = DeflateSamples.Content[..200_000];
        var real = DeflateSamples.Deflate(content, CompressionLevel.Fastest);
        whole = Inflated.Of(real, countReach: true);
        Assert.Equal(content, whole.Output);
        var random = new Random(1);
        foreach (var sizeMax in new[] { 1, 3, 8, 40, 200, 5000 })
            AssertSame(whole, Inflated.Of(real, piece: _ => random.Next(0, sizeMax + 1), countReach: true), $"pieces up to {sizeMax}");
    }

    [Fact]
    public void Output_limited_at_every_position_gives_the_same()
    {
        var stream = DeflateSamples.Everything;
        var whole = Inflated.Of(stream, countReach: true);
        for (var limit = 0; limit <= whole.Output.Length; limit++)
        {
            var calls = 0;
            var inflated = Inflated.Of(
                stream, countReach: true, outputMax: whole.Output.Length, room: () => calls++ == 0 ? limit : int.MaxValue / 2);
            AssertSame(whole, inflated, $"limit at {limit}");
        }

        for (var room = 1; room < 600; room++)
            AssertSame(
                whole, Inflated.Of(stream, room: () => room, countReach: true, outputMax: whole.Output.Length), $"{room} bytes of room");
    }

    [Fact]
    public void Input_and_room_cut_at_random_give_the_same()
    {
        var content = DeflateSamples.Content[^150_000..];
        var stream = DeflateSamples.Deflate(content, CompressionLevel.SmallestSize);
        var whole = Inflated.Of(stream, countReach: true);
        Assert.Equal(content, whole.Output);
        var inflater = new Inflater();
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var (pieceMax, roomMax) = (1 << random.Next(13), 1 << random.Next(4, 13));
            var inflated = Inflated.Of(stream, piece: _ =>
                random.Next(0, pieceMax + 1), room: () => random.Next(1, roomMax + 1), countReach: true, inflater: inflater);
            AssertSame(whole, inflated, $"seed {seed}");
        }
    }

    [Fact]
    public void Reach_is_what_comes_from_before_the_block_however_the_calls_are_cut()
    {
        var stream = new DeflateBits().Stored("abcdefgh"u8, isLast: false)
            .FixedHeader(isLast: false)
            .FixedSymbol(264).Code(3, 5) // 10 bytes from 4 back: 4 from before the block, then its own
            .FixedSymbol(257).Code(6, 5).Number(3, 2) // 3 from 12 back: 2 from before
            .FixedSymbol(257).Code(7, 5).Number(0, 2) // 3 from 13 back: the block's first ones
            .FixedSymbol(258).Code(8, 5).Number(7, 3) // 4 from 24 back: all from before
            .FixedSymbol(256)
            .Stored(new byte[400], isLast: true).ToArray();
        long[] reach = [0, 4 + 2 + 0 + 4];

        // Whole: the fast loop. Cut: the slow one, which meets some matches in pieces.
        Assert.Equal(reach, Inflated.Of(stream, countReach: true).Boundaries.Select(at => at.Reach));
        for (var size = 1; size < 60; size++)
        {
            Assert.Equal(reach, Inflated.Of(stream, piece: _ => size, countReach: true).Boundaries.Select(at => at.Reach));
            Assert.Equal(reach, Inflated.Of(stream, room: () => size, countReach: true).Boundaries.Select(at => at.Reach));
        }
    }

    [Fact]
    public void A_buffer_that_is_full_takes_the_end_of_the_stream_and_nothing_else()
    {
        // Nothing but the end is left: said at once. A literal is left: there is no room for it.
        var end = new DeflateBits().Stored("ab"u8, isLast: false).FixedHeader(isLast: true).FixedSymbol(256).ToArray();
        Assert.Equal(InflateState.StreamEnd, Inflated.Of(end, outputMax: 2).State);
        var more = new DeflateBits().Stored("ab"u8, isLast: false).FixedHeader(isLast: true).FixedSymbol('c').FixedSymbol(256).ToArray();
        var full = Inflated.Of(more, outputMax: 2);
        Assert.Equal((InflateState.OutputFull, 2), (full.State, full.Output.Length));
    }

    [Fact]
    public void History_before_the_position_is_what_matches_refer_to_and_not_a_byte_more()
    {
        for (var window = 0; window < 40; window++)
        {
            // 27 back
            var stream = new DeflateBits().FixedHeader(isLast: true).FixedSymbol(257).Code(9, 5).Number(2, 3).FixedSymbol(256).ToArray();
            var history = Enumerable.Range(1, window).Select(i => (byte)i).ToArray();
            var inflated = Inflated.Of(stream, window: history);
            if (window >= 27)
                Assert.Equal(history[^27..^24], inflated.Output);
            else
                Assert.Equal((InflateState.Corrupt, "a distance goes too far back"), (inflated.State, inflated.Error));
        }
    }

    [Fact]
    public void A_reset_forgets_everything()
    {
        var inflater = new Inflater();
        var stream = DeflateSamples.Everything;
        var whole = Inflated.Of(stream);
        for (var cut = 0; cut < stream.Length; cut++)
        {
            inflater.Reset(cut % 8);
            inflater.Inflate(stream.AsSpan(0, cut), new byte[4096], 0, cut % 1000, stopAtBlocks: false);
            AssertSame(whole, Inflated.Of(stream, outputMax: whole.Output.Length, inflater: inflater), $"cut at {cut}");
        }
    }

    [Fact]
    public void Limits_outside_of_the_buffer_are_refused()
    {
        var inflater = new Inflater();
        Assert.Throws<ArgumentOutOfRangeException>(() => inflater.Inflate([0], new byte[10], 0, 11, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => inflater.Inflate([0], new byte[10], -1, 5, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => inflater.Inflate([0], new byte[10], 6, 5, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => inflater.Reset(8));
    }

    private static void AssertSame(Inflated expected, Inflated actual, string what)
    {
        Assert.True(expected.State == actual.State, $"{what}: {actual.State} {actual.Error}");
        Assert.True(expected.Output.AsSpan().SequenceEqual(actual.Output), what);
        Assert.True(expected.Consumed == actual.Consumed, what);
        if (expected.Boundaries.Any(at => at.Reach != 0) == actual.Boundaries.Any(at => at.Reach != 0))
            Assert.True(expected.Boundaries.SequenceEqual(actual.Boundaries), what);
    }
}
