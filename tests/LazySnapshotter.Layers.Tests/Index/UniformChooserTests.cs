using LazySnapshotter.Layers.Placement;

namespace LazySnapshotter.Layers.Tests.Index;

// Spans of equal length, as far as block boundaries allow.
public sealed class UniformChooserTests
{
    [Fact]
    public void The_first_boundary_behind_a_span_is_taken_and_of_equal_ones_the_last()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new UniformChooser(100, chosen.Add);
        foreach (var (uncompressedOffset, bit) in new[] { (0L, 80L), (60, 500), (99, 600), (100, 700), (100, 710), (150, 900), (250, 1000), (300, 1100) })
            chooser.BlockStart(new Checkpoint(bit, uncompressedOffset, false));
        Assert.Null(chooser.Undecided);
        chooser.BlockStart(new Checkpoint(1200, 400, false));
        Assert.Equal(1200, chooser.Undecided?.StartBit);
        chooser.Complete(200, 400);
        Assert.Equal([(100L, 710L), (250, 1000)], chosen.Select(one => (one.UncompressedOffset, one.StartBit)));
    }

    [Fact]
    public void The_cheapest_boundary_near_a_spans_length_is_taken()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new CheapestChooser(1000, chosen.Add);
        Block(500, reach: 0); // too near
        Block(700, reach: 50);
        Block(900, reach: 20);
        Block(1300, reach: 30);
        Block(1450, reach: 1); // too far
        Block(1700, reach: 9); // the first one that is not too near to 900
        Block(9000, reach: 5); // the only one
        Block(9100, reach: 0);
        chooser.Complete(10_000, 9500);
        Assert.Equal([900L, 1700, 9000], chosen.Select(one => one.UncompressedOffset));
        Assert.Null(chooser.Undecided);

        void Block(long uncompressedOffset, long reach)
        {
            chooser.BlockStart(new Checkpoint(uncompressedOffset * 8, uncompressedOffset, false));
            chooser.BlockEnd(reach);
        }
    }
}
