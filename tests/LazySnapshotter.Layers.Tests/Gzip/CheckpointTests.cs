using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.TestSupport.Deflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Starting at every block boundary of what real compressors write: with the window, and with no more of it than was marked.
public sealed class CheckpointTests
{
    private const int Behind = 50_000;

    [Theory]
    [MemberData(nameof(DeflateSamples.Compressors), MemberType = typeof(DeflateSamples))]
    public void Every_block_boundary_is_a_place_to_start_from(string compressor)
    {
        var content = DeflateSamples.Content;
        var stream = DeflateSamples.Compress(content, compressor);
        var whole = Inflated.Of(stream, countReach: true);
        Assert.Equal(InflateState.StreamEnd, whole.State);
        Assert.True(content.AsSpan().SequenceEqual(whole.Output));
        Assert.True(whole.Boundaries.Count > 2, $"{whole.Boundaries.Count} boundaries");

        var inflater = new Inflater();
        var poisoned = 0;
        foreach (var boundary in whole.Boundaries)
        {
            var input = stream.AsSpan((int)(boundary.StartBit / 8));
            var bit = (int)(boundary.StartBit % 8);
            var window = content.AsSpan(Math.Max(0, boundary.OutputOffset - Inflater.WindowLengthMax)..boundary.OutputOffset);
            var length = Math.Min(Behind, content.Length - boundary.OutputOffset);
            var expected = content.AsSpan(boundary.OutputOffset, length);
            Assert.True(expected.SequenceEqual(Inflated.Of(input, bit, window, length, inflater: inflater).Output), $"from {boundary}");
            Assert.True(expected.SequenceEqual(ZlibNg.InflateFrom(input, bit, window, length).Output), $"zlib-ng from {boundary}");

            var referenced = new ulong[WindowMarker.WordCount];
            Assert.True(WindowMarker.Mark(input, bit, window, referenced));
            var poison = window.ToArray();
            for (var i = 0; i < poison.Length; i++)
            {
                if ((referenced[i / 64] >> i % 64 & 1) != 0)
                    continue;
                poison[i] ^= 0xFF;
                poisoned++;
            }

            Assert.True(
                expected.SequenceEqual(Inflated.Of(input, bit, poison, length, inflater: inflater).Output), $"poisoned, from {boundary}");
            Assert.True(
                expected.SequenceEqual(ZlibNg.InflateFrom(input, bit, poison, length).Output), $"poisoned, zlib-ng from {boundary}");
        }

        Assert.True(poisoned > 0);
    }

    [Fact]
    public void Marks_and_reach_are_those_of_the_specification()
    {
        var content = DeflateSamples.Content[..250_000];
        var stream = DeflateSamples.Compress(content, "gzip -6");
        var reference = ReferenceInflater.Run(stream);
        Assert.Equal(content, reference.Output);
        var whole = Inflated.Of(stream, countReach: true);
        Assert.Equal(reference.Blocks.SkipLast(1).Select(block => block.Reach), whole.Boundaries.Select(at => at.Reach));
        Assert.True(reference.Blocks.Count > 3);

        foreach (var block in reference.Blocks)
        {
            var windowStart = Math.Max(0, block.OutputOffset - Inflater.WindowLengthMax);
            var expected = new ulong[WindowMarker.WordCount];
            foreach (var copy in reference.Copies)
            {
                if (copy.To >= block.OutputOffset && copy.To < block.OutputOffset + Inflater.WindowLengthMax
                    && copy.From >= windowStart && copy.From < block.OutputOffset)
                    expected[(copy.From - windowStart) / 64] |= 1UL << (copy.From - windowStart) % 64;
            }

            var referenced = new ulong[WindowMarker.WordCount];
            Assert.True(WindowMarker.Mark(
                stream.AsSpan(block.StartBit / 8), block.StartBit % 8, content.AsSpan(windowStart..block.OutputOffset), referenced));
            Assert.Equal(expected, referenced);
        }
    }

    [Fact]
    public void Marking_needs_enough_input_and_says_so()
    {
        var content = DeflateSamples.Content[..100_000];
        var stream = DeflateSamples.Compress(content, "gzip -6");
        var referenced = new ulong[WindowMarker.WordCount];
        var enough = Enumerable.Range(0, stream.Length)
            .First(length => length % 64 == 0 && Inflated.Of(stream.AsSpan(0, length)).Output.Length >= Inflater.WindowLengthMax);
        Assert.True(WindowMarker.Mark(stream.AsSpan(0, enough), 0, [], referenced));
        Assert.False(WindowMarker.Mark(stream.AsSpan(0, enough / 2), 0, [], referenced));
        Assert.True(WindowMarker.Mark([3, 0], 0, [], referenced)); // all there is
        Assert.False(WindowMarker.Mark([7], 0, [], referenced)); // no deflate
        Assert.All(referenced, word => Assert.Equal(0UL, word));
    }
}
