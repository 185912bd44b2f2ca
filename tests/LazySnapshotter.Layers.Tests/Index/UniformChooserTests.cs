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
        foreach (var (uncompressedOffset, bit) in new[] { (
            0L, 80L), (60, 500), (99, 600), (100, 700), (100, 710), (150, 900), (250, 1000), (300, 1100) })
            chooser.BlockStart(new Checkpoint(bit, uncompressedOffset, false));
        Assert.Null(chooser.Undecided);
        chooser.BlockStart(new Checkpoint(1200, 400, false));
        Assert.Equal(1200, chooser.Undecided?.StartBit);
        chooser.Complete(200, 400);
        Assert.Equal([(100L, 710L), (250, 1000)], chosen.Select(one => (one.UncompressedOffset, one.StartBit)));
    }
}
