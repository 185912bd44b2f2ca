using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Layers.Tests.Index;

namespace LazySnapshotter.Layers.Tests.Store;

// What a read brings along because asking for it later would cost a round trip.
public sealed class NeighbourTests : IDisposable
{
    private const int Kilo = 1024;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Before_the_link_is_known_a_quarter_of_the_limit_comes_along()
    {
        await using var h = Harness(neighbourBytesMax: 128 * Kilo);
        await h.ReadSpanAsync(2);
        Assert.Equal([(2 * 8L * Kilo, 32L * Kilo)], h.Server.Requests);
    }

    [Fact]
    public async Task Neighbours_are_read_without_another_request()
    {
        await using var h = Harness(neighbourBytesMax: 128 * Kilo);
        await h.ReadSpanAsync(2);
        await h.ReadSpanAsync(5);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Neighbours_end_with_the_blob_and_skip_what_is_here()
    {
        await using var h = Harness(neighbourBytesMax: 256 * Kilo);
        await h.ReadSpanAsync(30);
        await h.ReadSpanAsync(26);
        Assert.Equal([(30 * 8L * Kilo, 16L * Kilo), (26 * 8L * Kilo, 32L * Kilo)], h.Server.Requests);
    }

    [Fact]
    public void A_link_is_worth_what_comes_in_a_round_trip()
    {
        var link = new LinkEstimate();
        Assert.Null(link.RoundTripBytes);
        link.Note(TimeSpan.FromMilliseconds(50), bytes: 1000, TimeSpan.FromMilliseconds(1)); // too little to tell a rate by
        Assert.Null(link.RoundTripBytes);

        link.Note(TimeSpan.FromMilliseconds(20), bytes: 1_000_000, TimeSpan.FromMilliseconds(100));
        Assert.Equal(200_000, link.RoundTripBytes);
        link.Note(TimeSpan.FromMilliseconds(300), bytes: 1_000_000, TimeSpan.FromMilliseconds(100)); // a busy server is no long way
        Assert.Equal(200_000, link.RoundTripBytes);
        for (var i = 0; i < 20; i++)
            link.Note(TimeSpan.FromMilliseconds(20), bytes: 1_000_000, TimeSpan.FromMilliseconds(10));
        Assert.InRange(link.RoundTripBytes!.Value, 1_900_000, 2_000_000);
    }

    [Fact]
    public void A_link_that_became_slower_is_known_after_two_windows_of_answers()
    {
        var link = new LinkEstimate();
        Answers(TimeSpan.FromMilliseconds(5), 1);
        Assert.Equal(50_000, link.RoundTripBytes);

        Answers(TimeSpan.FromMilliseconds(80), LinkEstimate.WindowAnswers - 1); // it may still be a queue
        Assert.Equal(50_000, link.RoundTripBytes);
        Answers(TimeSpan.FromMilliseconds(80), LinkEstimate.WindowAnswers + 1);
        Assert.Equal(800_000, link.RoundTripBytes);

        Answers(TimeSpan.FromMilliseconds(5), 1); // and one that became faster at once
        Assert.Equal(50_000, link.RoundTripBytes);

        void Answers(TimeSpan firstByte, int count)
        {
            for (var i = 0; i < count; i++)
                link.Note(firstByte, bytes: 1_000_000, TimeSpan.FromMilliseconds(100));
        }
    }

    private LayerHarness Harness(int neighbourBytesMax) =>
        new(TestLayer.Uniform(32, 8 * Kilo), _folder.Path,
            options: new SpanFetcherOptions { NeighbourBytesMax = neighbourBytesMax, RestBytesMax = 0, ReadAheadBytesMax = 0 });
}
