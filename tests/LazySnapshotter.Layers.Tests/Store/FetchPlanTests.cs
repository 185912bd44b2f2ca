using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Index;

namespace LazySnapshotter.Layers.Tests.Store;

// How much comes along with a miss, on a link that brings 200,000 bytes in a round trip.
public sealed class FetchPlanTests : IDisposable
{
    private const int Kilo = 1000;

    private readonly TestFolder _folder = new();
    private readonly StoppedClock _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Neighbours_are_what_comes_in_half_a_round_trip()
    {
        var plan = Plan(spanCount: 1000);
        var extent = plan.OnMiss(10, 11, long.MaxValue);
        Assert.Equal((10, 19), (extent.First, extent.Last)); // ten spans of 10,000 bytes
    }

    [Fact]
    public void More_neighbours_come_where_those_that_came_were_used()
    {
        var plan = Plan(spanCount: 10_000);
        plan.NoteRead(0, 99);
        Ask(plan, 0, 99);
        Assert.Equal(500 + 49, plan.OnMiss(500, 500, long.MaxValue).Last); // half of the million that was used

        Ask(plan, 1000, 1029); // in vain
        Assert.Equal(500 + 19, plan.OnMiss(500, 500, long.MaxValue).Last);
        Ask(plan, 1030, 1100);
        Assert.Equal(500 + 9, plan.OnMiss(500, 500, long.MaxValue).Last);
    }

    [Fact]
    public void A_file_comes_to_its_end_if_it_ends_within_eight_round_trips()
    {
        var plan = Plan(spanCount: 1000);
        Assert.Equal(159, plan.OnMiss(0, 0, fileEnd: 160 * 100L * Kilo).Last);
        Assert.Equal(9, plan.OnMiss(0, 0, fileEnd: (160 * 100L * Kilo) + 1).Last);
    }

    [Fact]
    public void The_third_miss_in_a_row_asks_for_the_rest_of_the_layer()
    {
        var plan = Plan(spanCount: 320); // 16 round trips
        plan.OnMiss(50, 50, long.MaxValue);
        plan.OnMiss(60, 60, long.MaxValue);
        var extent = plan.OnMiss(70, 70, long.MaxValue);
        Assert.Equal((0, 319), (extent.First, extent.Last));
    }

    [Fact]
    public void A_layer_of_which_too_much_is_missing_is_not_asked_for_as_a_whole()
    {
        var plan = Plan(spanCount: 321);
        for (var i = 0; i < 10; i++)
            Assert.Equal((100, 109), (plan.OnMiss(100, 100, long.MaxValue) is var extent ? extent.First : 0, extent.Last));
        Ask(plan, 0, 0);
        Assert.Equal(0, plan.OnMiss(100, 100, long.MaxValue).First);
    }

    [Fact]
    public void What_came_twice_counts_once_and_what_did_not_come_not_at_all()
    {
        var plan = Plan(spanCount: 322);
        Ask(plan, 0, 0);
        Ask(plan, 0, 0); // it was damaged
        Ask(plan, 5, 20);
        for (var span = 5; span <= 20; span++)
            plan.NoteGone(Table(322)[new SpanId(span)]);
        for (var i = 0; i < 5; i++)
            Assert.Equal(100, plan.OnMiss(100, 100, long.MaxValue).First);
        Ask(plan, 1, 1);
        Assert.Equal(0, plan.OnMiss(100, 100, long.MaxValue).First);
    }

    [Fact]
    public void The_rest_that_is_never_to_come_does_not_come_when_all_was_asked_for()
    {
        var plan = Plan(spanCount: 10, new SpanFetcherOptions { RestBytesMax = 0 });
        Ask(plan, 0, 9);
        for (var i = 0; i < 5; i++)
            Assert.Equal(7, plan.OnMiss(7, 7, long.MaxValue).First);
    }

    [Fact]
    public void An_estimate_beyond_belief_bridges_no_more_than_a_megabyte()
    {
        var link = new LinkEstimate();
        link.Note(TimeSpan.FromSeconds(1), bytes: 1_000_000_000, TimeSpan.FromMilliseconds(100));
        var plan = new FetchPlan(Table(100), link, new SpanFetcherOptions(), _clock);
        for (var i = 0; i < 3; i++)
            Assert.Equal(1 << 20, plan.OnMiss(50, 50, long.MaxValue).GapBytesMax);
    }

    [Fact]
    public void Misses_far_apart_in_time_are_not_in_a_row()
    {
        var plan = Plan(spanCount: 320);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(100, plan.OnMiss(100, 100, long.MaxValue).First);
            _clock.Advance(TimeSpan.FromSeconds(4));
        }
    }

    [Fact]
    public async Task A_layer_read_here_and_there_is_here_after_four_requests()
    {
        var options = new SpanFetcherOptions { NeighbourBytesMax = 32 << 10, FileBytesMax = 0, ReadAheadBytesMax = 0 };
        await using var h = new LayerHarness(
            TestLayer.Uniform(16, 8 << 10), _folder.Path, options: options with { RestBytesMax = 100 << 10 });
        await h.ReadSpanAsync(12);
        Assert.Equal(1, h.Blob.PresentCount);
        await h.ReadSpanAsync(3);
        await h.ReadSpanAsync(8);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.True(h.Blob.IsFull);

        // The rest of it in two requests, side by side: what is read first, then what lies before it.
        Assert.Equal([12, 3], h.Server.Requests.Take(2).Select(request => request.Offset / (8 << 10)));
        Assert.Equal([0, 8], h.Server.Requests.Skip(2).Select(request => request.Offset / (8 << 10)).Order());
        await h.Fetcher.DisposeAsync();
    }

    private static void Ask(FetchPlan plan, int first, int last)
    {
        for (var span = first; span <= last; span++)
            plan.NoteAsked(Table(10_000)[new SpanId(span)]);
    }

    // Spans of 10,000 bytes that inflate to ten times that.
    private static SpanTable Table(int spanCount) => new(
        [.. Enumerable.Range(0, spanCount).Select(i => i * 8L * 10 * Kilo)],
        [.. Enumerable.Range(0, spanCount).Select(i => i * 100L * Kilo)],
        new byte[spanCount * 32], spanCount * 10L * Kilo, spanCount * 100L * Kilo);

    private FetchPlan Plan(int spanCount, SpanFetcherOptions? options = null)
    {
        var link = new LinkEstimate();
        link.Note(TimeSpan.FromMilliseconds(20), bytes: 1_000_000, TimeSpan.FromMilliseconds(100));
        return new FetchPlan(Table(spanCount), link, options ?? new SpanFetcherOptions(), _clock);
    }

    private sealed class StoppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
