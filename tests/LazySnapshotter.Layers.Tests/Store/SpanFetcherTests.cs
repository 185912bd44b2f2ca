using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Tests.Store;

public sealed class SpanFetcherTests : IDisposable
{
    private const int Kilo = 1 << 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Neighbouring_missing_spans_travel_in_one_request()
    {
        await using var h = Harness(TestLayer.Uniform(32, 8 * Kilo));
        await h.ReadAndCompareAsync(h.Layer.StartOf(3) + 100, 10 * 8 * Kilo);
        Assert.Equal([(3 * 8L * Kilo, 11 * 8L * Kilo)], h.Server.Requests);
    }

    [Fact]
    public async Task A_long_run_of_missing_spans_becomes_several_requests()
    {
        await using var h = Harness(
            TestLayer.Uniform(32, 8 * Kilo), new() { RequestBytesMax = 64 * Kilo, RestBytesMax = 0, ReadAheadBytesMax = 0 });
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal(4, h.Server.Requests.Count);
        Assert.All(h.Server.Requests, request => Assert.Equal(64 * Kilo, request.Length));
    }

    [Fact]
    public async Task A_span_longer_than_a_request_should_be_is_fetched_alone()
    {
        await using var h = Harness(
            TestLayer.Uniform(3, 100 * Kilo), new() { RequestBytesMax = 64 * Kilo, RestBytesMax = 0, ReadAheadBytesMax = 0 });
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal(3, h.Server.Requests.Count);
    }

    [Fact]
    public async Task A_small_gap_of_present_spans_is_bridged()
    {
        await using var h = Harness(TestLayer.Uniform(8, 16 * Kilo));
        await h.ReadSpanAsync(3);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal([(3 * 16L * Kilo, 16L * Kilo), (0, h.Layer.Blob.Length)], h.Server.Requests);
    }

    [Fact]
    public async Task A_large_gap_is_not_bridged()
    {
        await using var h = Harness(TestLayer.Uniform(8, 16 * Kilo));
        await h.ReadAndCompareAsync(h.Layer.StartOf(2), 4 * 16 * Kilo);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal([(0, 32L * Kilo), (32L * Kilo, 64L * Kilo), (96L * Kilo, 32L * Kilo)], h.Server.Requests.Order());
    }

    [Fact]
    public async Task Present_bytes_that_a_bridge_brings_again_are_ignored()
    {
        await using var h = Harness(TestLayer.Uniform(3, Kilo));
        await h.ReadSpanAsync(1);
        h.Server.Then(new Fault { CorruptAt = Kilo + 5 });
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal(0, h.Statistics[ReadCount.VerificationFailures]);
    }

    [Fact]
    public async Task The_reader_of_the_first_span_does_not_wait_for_the_rest_of_the_request()
    {
        var release = new TaskCompletionSource();
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { StallAfter = 8 * Kilo, Release = release.Task });
        var whole = h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        await h.ReadSpanAsync(0).WaitAsync(Patience);
        Assert.False(whole.IsCompleted);
        release.SetResult();
        await whole.WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Readers_of_one_span_share_one_request()
    {
        var release = new TaskCompletionSource();
        await using var h = Harness(TestLayer.Uniform(4, 8 * Kilo));
        h.Server.Then(new Fault { StallAfter = 0, Release = release.Task });
        var reads = Enumerable.Range(0, 20).Select(i => h.ReadAndCompareAsync(h.Layer.StartOf(1) + i * 100, 100)).ToArray();
        release.SetResult();
        await Task.WhenAll(reads).WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
        Assert.Equal(8 * Kilo, h.Server.BytesSent);
    }

    [Fact]
    public async Task A_reader_that_gives_up_leaves_the_fetch_to_the_others()
    {
        var release = new TaskCompletionSource();
        await using var h = Harness(TestLayer.Uniform(4, 8 * Kilo));
        h.Server.Then(new Fault { StallAfter = 100, Release = release.Task });
        using var impatient = new CancellationTokenSource();
        var first = h.ReadSpanAsync(1, impatient.Token);
        var second = h.ReadSpanAsync(1);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience));
        release.SetResult();
        await second.WaitAsync(Patience);
        Assert.Equal(0, h.Server.Cancelled);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task A_fetch_nobody_waits_for_is_cancelled_and_the_next_read_asks_again()
    {
        await using var h = Harness(TestLayer.Uniform(4, 8 * Kilo));
        h.Server.Then(new Fault { StallAfter = 100 });
        using var impatient = new CancellationTokenSource();
        Task[] reads = [h.ReadSpanAsync(1, impatient.Token), h.ReadSpanAsync(1, impatient.Token)];
        await UntilAsync(() => h.Server.BytesSent == 100);
        await impatient.CancelAsync();
        foreach (var read in reads)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
        await h.ReadSpanAsync(1).WaitAsync(Patience);
        await UntilAsync(() => h.Server.Cancelled == 1);
        Assert.Equal(2, h.Server.Requests.Count);
    }

    [Fact]
    public async Task A_wrong_digest_is_tried_once_more()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { CorruptAt = 2 * 8 * Kilo + 7 });
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal([(0, 64L * Kilo), (16L * Kilo, 8L * Kilo)], h.Server.Requests);
        Assert.Equal(1, h.Statistics[ReadCount.VerificationFailures]);
    }

    [Fact]
    public async Task A_wrong_digest_twice_fails_by_name_and_is_not_remembered()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { CorruptAt = 7 }).Then(new Fault { CorruptAt = 8 });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(2));
        Assert.Contains(h.Layer.Digest.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains("span 2 (bytes 16384 to 24575)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("digest", failure.Message, StringComparison.Ordinal);
        Assert.False(h.Blob.IsPresent(new SpanId(2)));
        await h.ReadSpanAsync(2);
    }

    [Fact]
    public async Task Damage_to_one_span_does_not_fail_its_neighbours()
    {
        await using var h = Harness(TestLayer.Uniform(4, 8 * Kilo));
        h.Server.Then(new Fault { CorruptAt = 7 }).Then(new Fault { CorruptAt = 7 });
        await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadAndCompareAsync(0, h.Layer.Tar.Length));
        await h.Fetcher.DisposeAsync();
        Assert.Equal(2, h.Server.Requests.Count);
        Assert.False(h.Blob.IsPresent(new SpanId(0)));
        Assert.Equal(3, h.Blob.PresentCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transfer_that_breaks_off_is_resumed_once_where_it_broke(bool isError)
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(isError ? new Fault { ErrorAfter = 20 * Kilo } : new Fault { EndAfter = 20 * Kilo });
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        Assert.Equal([(0, 64L * Kilo), (16L * Kilo, 48L * Kilo)], h.Server.Requests);
    }

    [Fact]
    public async Task A_transfer_that_breaks_off_twice_fails_and_keeps_what_came()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { EndAfter = 20 * Kilo }).Then(new Fault { EndAfter = 20 * Kilo });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadAndCompareAsync(0, h.Layer.Tar.Length));
        Assert.Contains("ended at byte 36864", failure.Message, StringComparison.Ordinal);
        Assert.Equal(4, h.Blob.PresentCount);
    }

    [Fact]
    public async Task A_source_that_cannot_be_opened_fails_the_read_and_not_the_next()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { OpenError = "503 from the registry" });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(5));
        Assert.Contains("503 from the registry", failure.Message, StringComparison.Ordinal);
        await h.ReadSpanAsync(5);
        Assert.Equal(2, h.Server.Requests.Count);
    }

    [Fact]
    public async Task Bytes_behind_the_range_are_not_read()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { ExtraBytes = 100 * Kilo });
        await h.ReadSpanAsync(5);
        Assert.Equal(8 * Kilo, h.Server.BytesSent);
    }

    [Fact]
    public async Task A_source_that_stalls_runs_into_the_deadline()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo), new() { Deadline = TimeSpan.FromSeconds(2) });
        h.Server.Then(new Fault { StallAfter = 9 * Kilo });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadAndCompareAsync(0, h.Layer.Tar.Length).WaitAsync(Patience));
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.True(h.Blob.IsPresent(new SpanId(0)));
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
    }

    [Fact]
    public async Task A_source_that_does_not_heed_cancellation_holds_nobody_beyond_the_deadline()
    {
        var release = new TaskCompletionSource();
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo), new() { Deadline = TimeSpan.FromSeconds(2) });
        h.Server.Then(new Fault { StallAfter = 9 * Kilo, IsDeaf = true, Release = release.Task });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadAndCompareAsync(0, h.Layer.Tar.Length).WaitAsync(Patience));
        Assert.Contains("not done after 2 s", failure.Message, StringComparison.Ordinal);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        release.SetResult();
    }

    [Fact]
    public async Task Closing_the_fetcher_ends_its_readers()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { StallAfter = 0 });
        var read = h.ReadSpanAsync(0);
        await h.Fetcher.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => h.ReadSpanAsync(0));
    }

    [Fact]
    public async Task Scattered_small_reads_fetch_only_their_spans()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(100, 300 * Kilo), _folder.Path); // as a 100 MB layer, at a third of the size
        for (var span = 3; span < 100; span += 10)
            await h.ReadAndCompareAsync(h.Layer.StartOf(span) + 1000, 3000);
        await h.Fetcher.DisposeAsync();
        Assert.Equal(10, h.Server.Requests.Count);
        Assert.Equal(10 * 300 * Kilo, h.Server.BytesSent);
    }

    [Fact]
    public async Task A_sequential_reader_gets_growing_read_ahead()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(256, 100 * Kilo), _folder.Path);
        for (var offset = 0; offset < h.Layer.Tar.Length; offset += 128 * Kilo)
            await h.ReadAndCompareAsync(offset, 128 * Kilo);
        await h.Fetcher.DisposeAsync();
        Assert.InRange(h.Server.Requests.Count, 5, 40); // 256 without
        Assert.Equal(h.Layer.Blob.Length, h.Server.BytesSent);
        Assert.True(h.Server.Requests.Max(request => request.Length) > Kilo * Kilo);
    }

    [Fact]
    public async Task Read_ahead_wastes_at_most_what_was_read()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(256, 100 * Kilo), _folder.Path);
        const int Read = 15 * 128 * Kilo;
        for (var offset = 0; offset < Read; offset += 128 * Kilo)
            await h.ReadAndCompareAsync(offset, 128 * Kilo);
        await UntilAsync(() => h.Server.BytesSent == h.Server.Requests.Sum(request => request.Length));
        Assert.InRange(h.Server.BytesSent, Read + 1, (2 * Read) + (100 * Kilo)); // the last span demanded is read in part
        Assert.True(h.Statistics[ReadCount.BytesReadAhead] > 0);
    }

    [Fact]
    public async Task Read_ahead_stops_at_the_end_of_the_file()
    {
        await using var h = new LayerHarness(TestLayer.Uniform(256, 100 * Kilo), _folder.Path);
        var fileEnd = h.Layer.StartOf(20);
        var buffer = new byte[100 * Kilo];
        for (var offset = 0L; offset < fileEnd; offset += buffer.Length)
            await h.Reader.ReadAsync(offset, buffer, fileEnd, default);
        await h.Fetcher.DisposeAsync();
        Assert.Equal(20 * 100 * Kilo, h.Server.BytesSent);
    }

    [Fact]
    public async Task Read_ahead_goes_on_when_its_reader_gives_up_and_demand_joins_it()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        var release = new TaskCompletionSource();
        h.Server.Then(new Fault { StallAfter = 0, Release = release.Task });
        h.Fetcher.FetchAhead(2, 5);
        using var impatient = new CancellationTokenSource();
        var read = h.ReadSpanAsync(4, impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        release.SetResult();
        await h.ReadSpanAsync(5).WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
        Assert.Equal(4, h.Blob.PresentCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_joins_late_has_the_whole_time_and_not_the_rest_of_anothers(bool joinsReader)
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo), LayerHarness.NoReadAhead with { Deadline = TimeSpan.FromSeconds(3) });
        var release = new TaskCompletionSource();
        h.Server.Then(new Fault { StallAfter = 0, Release = release.Task });
        var earlier = joinsReader ? h.ReadSpanAsync(4) : Task.CompletedTask;
        if (!joinsReader)
            h.Fetcher.FetchAhead(2, 5);
        await Task.Delay(TimeSpan.FromSeconds(2));
        var read = h.ReadSpanAsync(4);
        await Task.Delay(TimeSpan.FromSeconds(2));
        release.SetResult();
        await read.WaitAsync(Patience);
        await earlier.WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Readers_that_join_one_after_the_other_do_not_keep_a_silent_fetch_alive()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo), LayerHarness.NoReadAhead with { Deadline = TimeSpan.FromSeconds(1) });
        h.Server.Then(new Fault { StallAfter = 0 });
        var first = h.ReadSpanAsync(4);
        for (var joined = 0; joined < 60 && !first.IsCompleted; joined++)
        {
            await Task.Delay(100);
            _ = h.ReadSpanAsync(4).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => first.WaitAsync(TimeSpan.Zero));
        Assert.IsType<TimeoutException>(failure.InnerException);
    }

    [Fact]
    public async Task A_transfer_whose_source_has_given_it_up_is_not_tried_once_more()
    {
        await using var h = Harness(TestLayer.Uniform(8, 8 * Kilo));
        h.Server.Then(new Fault { ErrorAfter = 2 * 8 * Kilo, IsFinal = true });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadAndCompareAsync(0, h.Layer.Tar.Length).WaitAsync(Patience));
        Assert.Contains("5 resumptions", failure.Message, StringComparison.Ordinal);
        Assert.Single(h.Server.Requests);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length).WaitAsync(Patience);
    }

    [Fact]
    public async Task What_was_asked_for_in_vain_does_not_make_the_rest_of_the_layer_come()
    {
        var options = LayerHarness.NoReadAhead with { NeighbourBytesMax = 8 * Kilo, RestBytesMax = 40 * Kilo };
        await using var h = Harness(TestLayer.Uniform(16, 8 * Kilo), options);
        h.Server.Standing = new Fault { OpenError = "503 from the registry" };
        for (var span = 0; span < 12; span++)
            await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(span).WaitAsync(Patience));
        h.Server.Standing = Fault.None;
        await h.ReadSpanAsync(15).WaitAsync(Patience);
        Assert.Equal((15 * 8L * Kilo, 8L * Kilo), h.Server.Requests[^1]);
        Assert.Equal(13, h.Server.Requests.Count);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var end = DateTime.UtcNow + Patience; !condition();)
        {
            Assert.True(DateTime.UtcNow < end, "did not happen");
            await Task.Delay(5);
        }
    }

    private LayerHarness Harness(TestLayer layer, SpanFetcherOptions? options = null) =>
        new(layer, _folder.Path, options: options ?? LayerHarness.NoReadAhead);
}
