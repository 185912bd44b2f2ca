using LazySnapshotter.Layers.Placement;

namespace LazySnapshotter.Layers.Tests.Index;

// The choice made while a layer streams by, beside the best there is: a search over all paths that knows the whole
// layer and adds up every read one by one.
public sealed class AdaptiveChooserTests
{
    private const long KiB = 1024;
    private const long MiB = 1024 * KiB;

    [Theory]
    [InlineData(7 * MiB, 30 * KiB)]
    [InlineData(7 * MiB, 300 * KiB)]
    [InlineData(1 * MiB, 5 * KiB)]
    public void Within_the_look_ahead_nothing_is_cheaper(long length, long blockLength)
    {
        for (var round = 0; round < 20; round++)
        {
            var layer = new SyntheticLayer(Environment.TickCount + round, length, blockLength);
            Assert.True(layer.Best() == layer.CostOf(layer.Choose()), $"seed {layer.Seed}");
        }
    }

    [Theory]
    [InlineData(60 * MiB, 40 * KiB)]
    [InlineData(60 * MiB, 400 * KiB)]
    [InlineData(60 * MiB, 3 * MiB)]
    public void A_long_layer_costs_hardly_more_than_the_best(long length, long blockLength)
    {
        for (var round = 0; round < 5; round++)
        {
            var layer = new SyntheticLayer(Environment.TickCount + round, length, blockLength);
            var (best, chosen) = (layer.Best(), layer.CostOf(layer.Choose()));
            Assert.True(best <= chosen && chosen <= best * 1.001, $"seed {layer.Seed}: best {best}, chosen {chosen}");
        }
    }

    [Theory]
    [InlineData(30 * MiB, 40 * KiB)]
    [InlineData(30 * MiB, 400 * KiB)]
    public void Runs_are_cut_where_nothing_is_cheaper(long length, long blockLength)
    {
        for (var round = 0; round < 5; round++)
        {
            var layer = new SyntheticLayer(Environment.TickCount + round, length, blockLength);
            var starts = layer.Choose();
            Assert.Contains(starts, start => start.IsContinued);
            Assert.True(starts.Zip(starts.Skip(1))
                .All(pair => pair.First.UncompressedOffset < pair.Second.UncompressedOffset), $"seed {layer.Seed}");
            Assert.True(layer.BestCuts(starts) == layer.CostOfCuts(starts), $"seed {layer.Seed}");
        }
    }

    [Fact]
    public void A_run_longer_than_what_waits_is_not_cut()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new AdaptiveChooser(chosen.Add);
        for (var offset = 16 * KiB; offset < 40 * MiB; offset += 16 * KiB)
        {
            chooser.ReadEnd(offset - 1, ReadPoints.FileWeight);
            chooser.Advance(offset);
            chooser.Mark(new Checkpoint(offset * 4, offset, false));
            Assert.True(
                chooser.Undecided is not { } undecided || offset - undecided.UncompressedOffset <= AdaptiveChooser.LookAhead + 32 * KiB);
        }

        chooser.Complete(20 * MiB, 40 * MiB);
        Assert.Empty(chosen);
    }

    [Fact]
    public void The_cut_into_calls_changes_nothing()
    {
        for (var round = 0; round < 10; round++)
        {
            var layer = new SyntheticLayer(Environment.TickCount + round, 30 * MiB, round % 2 == 0 ? 50 * KiB : 700 * KiB);
            var once = layer.Choose();
            Assert.True(once.SequenceEqual(layer.Choose(advanceBy: 1000)), $"seed {layer.Seed}");
            Assert.True(once.SequenceEqual(layer.Choose(advanceBy: 777_777)), $"seed {layer.Seed}");
        }
    }

    [Fact]
    public void A_run_is_longer_than_2_MiB_only_where_no_block_starts()
    {
        var layer = new SyntheticLayer(1, 40 * MiB, 500 * KiB);
        var offsets = layer.Choose().Where(start => !start.IsContinued)
            .Select(checkpoint => checkpoint.UncompressedOffset).Prepend(0).Append(layer.Length).ToList();
        for (var i = 1; i < offsets.Count; i++)
        {
            if (offsets[i] - offsets[i - 1] > AdaptiveChooser.RunLengthMax)
                Assert.DoesNotContain(
                    layer.Blocks, block => block.Start.UncompressedOffset > offsets[i - 1] && block.Start.UncompressedOffset < offsets[i]);
        }
    }

    [Fact]
    public void Of_boundaries_with_the_same_output_the_last_counts_and_none_at_the_ends()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new AdaptiveChooser(chosen.Add);
        Block(0, 80);
        Block(0, 90);
        chooser.ReadStart(512, ReadPoints.FileWeight);
        chooser.Advance(4 * MiB);
        Block(4 * MiB, 8 * MiB);
        Block(4 * MiB, 8 * MiB + 35);
        Block(4 * MiB, 8 * MiB + 70);
        Assert.Equal(8 * MiB + 70, chooser.Undecided?.StartBit);
        chooser.Advance(6 * MiB);
        Block(6 * MiB, 9 * MiB);
        Block(6 * MiB, 9 * MiB + 10);
        chooser.Complete(2 * MiB, 6 * MiB);
        Assert.Equal([new Checkpoint(8 * MiB + 70, 4 * MiB, false)], chosen);
        Assert.Null(chooser.Undecided);

        void Block(long uncompressedOffset, long startBit)
        {
            chooser.BlockStart(new Checkpoint(startBit, uncompressedOffset, false));
            chooser.BlockEnd(0);
        }
    }

    [Fact]
    public void What_waits_for_a_decision_is_bounded()
    {
        var chooser = new AdaptiveChooser(_ => { });
        for (var uncompressedOffset = 0L; uncompressedOffset < 100 * MiB; uncompressedOffset += 20 * KiB)
        {
            chooser.BlockStart(new Checkpoint(uncompressedOffset * 3, uncompressedOffset, false));
            chooser.Advance(uncompressedOffset + 20 * KiB);
            chooser.BlockEnd(100); // all alike, and no file: nothing speaks for one more than for the other
            if (chooser.Undecided?.StartBit is { } bit)
                Assert.InRange(uncompressedOffset - bit / 3, 0, AdaptiveChooser.LookAhead + 40 * KiB);
        }
    }

    [Fact]
    public void A_block_without_end_is_decided_and_forgotten()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new AdaptiveChooser(chosen.Add);
        chooser.Advance(MiB);
        chooser.BlockStart(new Checkpoint(MiB, MiB, false));
        chooser.Advance(20 * MiB);
        Assert.Null(chooser.Undecided);
        Assert.Equal([MiB], chosen.Select(checkpoint => checkpoint.UncompressedOffset));
    }

    [Fact]
    public void Force_decides_what_stands_and_forgets_what_nothing_follows()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new AdaptiveChooser(chosen.Add);
        chooser.Advance(MiB);
        chooser.BlockStart(new Checkpoint(MiB, MiB, false));
        chooser.Advance(2 * MiB);
        chooser.BlockEnd(0);
        chooser.BlockStart(new Checkpoint(2 * MiB, 2 * MiB, false));
        chooser.Force(0);
        Assert.Equal([MiB], chosen.Select(checkpoint => checkpoint.UncompressedOffset));
        Assert.Equal(2 * MiB, chooser.Undecided?.StartBit);
        chooser.Force(MiB);
        Assert.Null(chooser.Undecided);
    }

    [Fact]
    public void Tiny_members_are_not_all_checkpoints_and_take_no_time()
    {
        var chosen = new List<Checkpoint>();
        var chooser = new AdaptiveChooser(chosen.Add);
        var member = 0L;
        for (; member < 400_000; member++)
        {
            chooser.BlockStart(new Checkpoint(member * 25 * 8, member * 20, true));
            if (member % 100 == 0)
                chooser.ReadStart(member * 20, ReadPoints.FileWeight);
            chooser.Advance(member * 20 + 20);
            chooser.BlockEnd(0);
        }

        chooser.Complete(member * 25, member * 20);
        Assert.InRange(chosen.Count, 100, 8_000_000 / AdaptiveChooser.SpacingMin);
    }

    private sealed class SyntheticLayer
    {
        private readonly List<(long Offset, bool IsStart, int Weight)> _reads = [];

        public SyntheticLayer(int seed, long length, long blockLength)
        {
            Seed = seed;
            Length = length;
            var random = new Random(seed);
            var bit = 80L;
            for (var offset = 0L; offset < length;)
            {
                var reach = random.Next(4) == 0 ? random.Next(40_000) : random.Next(6000);
                Blocks.Add((new Checkpoint(bit, offset, offset > 0 && random.Next(100) == 0), reach));
                var produced = Math.Max(AdaptiveChooser.SpacingMin, (long)(blockLength * 2 * random.NextDouble()));
                var compressed = (long)(produced * 8 * random.NextDouble()) + 100;
                for (var inside = 16 * KiB + random.Next(200); inside < produced; inside += 16 * KiB)
                    Marks.Add(new Checkpoint(bit + compressed * inside / produced, offset + inside, false));
                offset += produced;
                bit += compressed;
            }

            CompressedLength = bit / 8 + 1;
            for (var offset = 0L; offset < length;)
            {
                var size = random.Next(5) == 0 ? random.Next(2_000_000) : random.Next(1, 10_000);
                offset += 512;
                if (offset + size >= length)
                    break;
                _reads.Add((offset, true, ReadPoints.FileWeight));
                for (var interior = 131072; interior < size; interior += 131072)
                {
                    _reads.Add((offset + interior, false, 1));
                    _reads.Add((offset + interior, true, 1));
                }

                offset += size;
                _reads.Add((offset, false, ReadPoints.FileWeight));
            }
        }

        public int Seed { get; }

        public long Length { get; }

        public long CompressedLength { get; }

        public List<(Checkpoint Start, long Reach)> Blocks { get; } = [];

        /// <summary>Inside blocks, where a span may start.</summary>
        public List<Checkpoint> Marks { get; } = [];

        public List<Checkpoint> Choose(long advanceBy = long.MaxValue)
        {
            var chosen = new List<Checkpoint>();
            var chooser = new AdaptiveChooser(chosen.Add);
            var position = 0L;
            var read = 0;
            var mark = 0;
            for (var i = 0; i < Blocks.Count; i++)
            {
                chooser.BlockStart(Blocks[i].Start);
                var end = i + 1 < Blocks.Count ? Blocks[i + 1].Start.UncompressedOffset : Length;
                for (; read < _reads.Count && (_reads[read].Offset < end || (_reads[read].Offset == end && !_reads[read].IsStart)); read++)
                {
                    var (offset, isStart, weight) = _reads[read];
                    TellMarks(offset);
                    AdvanceTo(offset);
                    if (isStart)
                        chooser.ReadStart(offset, weight);
                    else
                        chooser.ReadEnd(offset, weight);
                }

                TellMarks(end);
                AdvanceTo(end);
                chooser.BlockEnd(Blocks[i].Reach);
            }

            chooser.Complete(CompressedLength, Length);
            return chosen;

            void TellMarks(long before)
            {
                for (; mark < Marks.Count && Marks[mark].UncompressedOffset < before; mark++)
                {
                    AdvanceTo(Marks[mark].UncompressedOffset);
                    chooser.Mark(Marks[mark]);
                }
            }

            void AdvanceTo(long offset)
            {
                while (position < offset)
                {
                    position = advanceBy > offset - position ? offset : position + advanceBy;
                    chooser.Advance(position);
                }
            }
        }

        /// <summary>What the checkpoints cost, each read and each window for itself.</summary>
        public long CostOf(IReadOnlyList<Checkpoint> chosen)
        {
            List<Checkpoint> all = [new(0, 0, true), .. chosen.Where(start => !start.IsContinued), new(CompressedLength * 8, Length, true)];
            var cost = 0L;
            for (var i = 0; i + 1 < all.Count; i++)
                cost += Cost(all[i], all[i + 1]);
            return cost;
        }

        /// <summary>What it costs that reads end before their span does, each for itself.</summary>
        public long CostOfCuts(IReadOnlyList<Checkpoint> starts)
        {
            List<Checkpoint> all = [new(0, 0, true), .. starts, new(CompressedLength * 8, Length, true)];
            var cost = 0L;
            for (var i = 1; i < all.Count; i++)
                cost += CutCost(all[i - 1], all[i]);
            return cost;
        }

        /// <summary>The same for the best cuts of the same runs, by trying all marks.</summary>
        public long BestCuts(IReadOnlyList<Checkpoint> starts)
        {
            List<Checkpoint> runs =
                [new(0, 0, true), .. starts.Where(start => !start.IsContinued), new(CompressedLength * 8, Length, true)];
            var cost = 0L;
            for (var run = 1; run < runs.Count; run++)
            {
                var inside = Marks.Where(mark =>
                    mark.UncompressedOffset > runs[run - 1].UncompressedOffset && mark.UncompressedOffset < runs[run].UncompressedOffset);
                List<Checkpoint> places = [runs[run - 1], .. inside, runs[run]];
                var best = new long[places.Count];
                for (var to = 1; to < places.Count; to++)
                    best[to] = Enumerable.Range(0, to).Min(from => best[from] + CutCost(places[from], places[to]));
                cost += best[^1];
            }

            return cost;
        }

        private long CutCost(in Checkpoint from, in Checkpoint to)
        {
            var cost = 10 * AdaptiveChooser.IndexByteCost * RunCuts.SpanLength;
            for (var i = _reads.FindIndexFrom(from.UncompressedOffset + 1); i < _reads.Count
                && _reads[i].Offset <= to.UncompressedOffset; i++)
                cost += _reads[i].IsStart ? 0 : _reads[i].Weight * to.CompressedOffset;
            return cost;
        }

        /// <summary>The cheapest path, by trying all predecessors of each boundary.</summary>
        public long Best()
        {
            List<Checkpoint> all =
                [new(0, 0, true), .. Blocks.Skip(1).Select(block => block.Start), new(CompressedLength * 8, Length, true)];
            var best = new long[all.Count];
            for (var to = 1; to < all.Count; to++)
            {
                best[to] = long.MaxValue;
                for (var from = to - 1; from >= 0; from--)
                {
                    if (from < to - 1 && all[to].UncompressedOffset - all[from].UncompressedOffset > AdaptiveChooser.RunLengthMax)
                        break;
                    best[to] = Math.Min(best[to], best[from] + Cost(all[from], all[to]));
                }
            }

            return best[^1];
        }

        private long Cost(in Checkpoint from, in Checkpoint to)
        {
            var reach = from.IsMemberStart ? 0 : Blocks[Blocks.BinarySearch((from, 0), ByOffset)].Reach;
            var cost = 10 * AdaptiveChooser.IndexByteCost * (AdaptiveChooser.CheckpointLength + Math.Min(reach, 32768));
            var first = _reads.FindIndexFrom(from.UncompressedOffset);
            for (var i = first; i < _reads.Count && _reads[i].Offset <= to.UncompressedOffset; i++)
            {
                var (offset, isStart, weight) = _reads[i];
                if (isStart && offset < to.UncompressedOffset)
                    cost += weight * (BoundaryBefore(offset) - from.CompressedOffset);
            }

            return cost;
        }

        private static Comparer<(Checkpoint Start, long Reach)> ByOffset { get; } =
            Comparer<(Checkpoint Start, long Reach)>.Create((a, b) => a.Start.UncompressedOffset.CompareTo(b.Start.UncompressedOffset));

        private long BoundaryBefore(long offset)
        {
            var found = Blocks.BinarySearch((new Checkpoint(0, offset, false), 0), ByOffset);
            var index = found >= 0 ? found : ~found - 1;
            return index == 0 ? 0 : Blocks[index].Start.CompressedOffset;
        }
    }
}

internal static class ReadList
{
    public static int FindIndexFrom(this List<(long Offset, bool IsStart, int Weight)> reads, long offset)
    {
        var (low, high) = (0, reads.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (reads[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
