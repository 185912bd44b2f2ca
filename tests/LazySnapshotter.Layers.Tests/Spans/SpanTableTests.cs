using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Tests.Spans;

public sealed class SpanTableTests
{
    // Bits:   0        8        16       24       32       40
    // Spans:  |0              |1         |2 |3              |
    private static readonly SpanTable Table = new(
        [0, 16, 27, 29], [0, 100, 250, 251], new byte[4 * 32], compressedLength: 5, uncompressedLength: 400);

    [Fact]
    public void Neighbours_share_the_byte_a_checkpoint_lies_in()
    {
        Assert.Equal(new LayerSpan(new SpanId(0), 0, 2, 0, 100), Table[new SpanId(0)]);
        Assert.Equal(new LayerSpan(new SpanId(1), 2, 2, 100, 150), Table[new SpanId(1)]);
        Assert.Equal(new LayerSpan(new SpanId(2), 3, 1, 250, 1), Table[new SpanId(2)]);
        Assert.Equal(new LayerSpan(new SpanId(3), 3, 2, 251, 149), Table[new SpanId(3)]);
        Assert.Equal((0, 3, 5), (Table.BitOffset(new SpanId(1)), Table.BitOffset(new SpanId(2)), Table.BitOffset(new SpanId(3))));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(99, 0)]
    [InlineData(100, 1)]
    [InlineData(250, 2)]
    [InlineData(251, 3)]
    [InlineData(399, 3)]
    public void Find_gives_the_span_that_holds_an_offset(long uncompressedOffset, int span) =>
        Assert.Equal(new SpanId(span), Table.Find(uncompressedOffset));

    [Theory]
    [InlineData(-1)]
    [InlineData(400)]
    public void Find_refuses_what_no_span_holds(long uncompressedOffset) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Table.Find(uncompressedOffset));

    [Fact]
    public void Columns_that_contradict_each_other_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => new SpanTable([], [], [], 1, 1));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8], [0], new byte[64], 2, 2));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0], [0], new byte[31], 2, 2));
        Assert.Throws<InvalidDataException>(() => new SpanTable([-1], [0], new byte[32], 2, 2));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8, 8], [0, 1, 2], new byte[96], 4, 4));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8], [0, 0], new byte[64], 4, 4));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 32], [0, 1], new byte[64], 4, 4));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8], [0, 5], new byte[64], 4, 4));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8], [0, 1], new byte[64], 2, 2, [true, false]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpanTable([0, 8], [0, 1], new byte[64], 2, 2, [false]));
        const long tooLong = SpanTable.LengthMax + 1;
        Assert.Throws<InvalidDataException>(() => new SpanTable([0], [0], new byte[32], 1000, tooLong));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0], [0], new byte[32], tooLong, 1000));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0], [0], new byte[32], long.MaxValue / 16, 1000));
        Assert.Throws<InvalidDataException>(() => new SpanTable([0, 8], [0, 1], new byte[64], 2, tooLong, [false, true]));
        Assert.Throws<InvalidDataException>(
            () => new SpanTable([0, 8, 16], [0, 1, tooLong - 1], new byte[96], 4, tooLong, [false, true, true]));
        Assert.Equal(2, new SpanTable([0, 8, 16], [0, 1, tooLong - 1], new byte[96], 4, tooLong, [false, true, false])
            .RunStart(new SpanId(2)).Value);
    }

    [Fact]
    public void Ranges_bridge_gaps_that_are_small_enough()
    {
        Assert.Equal([new SpanRange(0, 3)], Ranges([0, 3], 100, gapBytesMax: 100));
        Assert.Equal([new SpanRange(0, 0), new SpanRange(3, 3)], Ranges([0, 3], 100, gapBytesMax: 0));
        Assert.Equal([new SpanRange(0, 2), new SpanRange(3, 3)], Ranges([0, 1, 2, 3], 4, gapBytesMax: 100));
    }

    private static List<SpanRange> Ranges(int[] missing, int rangeBytesMax, int gapBytesMax) =>
        SpanRange.Coalesce(Table, missing, rangeBytesMax, gapBytesMax);
}
