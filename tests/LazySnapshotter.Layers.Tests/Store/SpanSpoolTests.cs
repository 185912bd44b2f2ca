using LazySnapshotter.Blobs.Fetching;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Store;

// A source that sends the whole blob for a part of it: nothing that comes is thrown away, nothing is asked for twice.
public sealed class SpanSpoolTests : IDisposable
{
    private const int Kilo = 1 << 10;
    private const int SpanBytes = 8 * Kilo;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData(false)]
    public async Task Scattered_reads_at_once_share_one_body(bool? believed)
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(believed, new Fault { IgnoresRange = true, StallAfter = 0, Release = release.Task });
        var reads = Enumerable.Range(0, 20).Select(i => h.ReadSpanAsync(i * 3)).ToArray();
        release.SetResult();
        await Task.WhenAll(reads).WaitAsync(Patience);
        await h.Fetcher.DisposeAsync();
        Assert.Single(h.Server.Requests);
        Assert.Equal(h.Layer.Blob.Length, h.Server.BytesSent);
    }

    [Fact]
    public async Task Bodies_that_were_asked_for_before_the_first_answer_are_dropped_for_the_first()
    {
        var answer = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var h = Rangeless(
            true, new Fault { IgnoresRange = true, Answer = answer.Task, StallAfter = 0, Release = release.Task });
        var reads = Enumerable.Range(0, 5).Select(i => h.ReadSpanAsync(i * 10)).ToArray();
        await UntilAsync(() => h.Server.Requests.Count == 5);
        answer.SetResult();
        await UntilAsync(() => h.Server.GivesRanges == false);
        release.SetResult();
        await Task.WhenAll(reads).WaitAsync(Patience);
        await UntilAsync(() => h.Blob.IsComplete);
        Assert.Equal(5, h.Server.Requests.Count);
        Assert.Equal(h.Layer.Blob.Length, h.Server.BytesSent);
    }

    [Fact]
    public async Task What_has_passed_is_served_while_the_rest_is_awaited()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(null, new Fault { IgnoresRange = true, StallAfter = 10 * SpanBytes, Release = release.Task });
        await h.ReadSpanAsync(3).WaitAsync(Patience);
        await h.ReadSpanAsync(9).WaitAsync(Patience);
        var ahead = h.ReadSpanAsync(50);
        await h.ReadSpanAsync(0).WaitAsync(Patience);
        Assert.False(ahead.IsCompleted);
        release.SetResult();
        await ahead.WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whole_blob_that_passed_makes_the_layer_complete(bool hasHead)
    {
        var layer = hasHead ? TestLayer.WithHead(10, 60, SpanBytes) : TestLayer.Random(seed: 5, 60 * SpanBytes, SpanBytes);
        await using (var h = new LayerHarness(layer, _folder.Path, options: LayerHarness.NoReadAhead))
        {
            h.Server.Standing = new Fault { IgnoresRange = true };
            h.Server.GivesRanges = null;
            await h.ReadSpanAsync(2);
            await UntilAsync(() => h.Blob.IsComplete);
            await h.ReadAndCompareAsync(0, layer.Tar.Length);
            Assert.False(File.Exists(h.SparsePath));
            Assert.True(h.Store.IsComplete(layer.Digest));
        }

        await using var again = new LayerHarness(layer, _folder.Path, options: LayerHarness.NoReadAhead);
        Assert.True(again.Blob.IsComplete);
        await again.ReadAndCompareAsync(0, layer.Tar.Length);
        Assert.Empty(again.Server.Requests);
        await using var whole = again.Store.OpenComplete(layer.Digest)!;
        var bytes = new MemoryStream();
        await whole.CopyToAsync(bytes);
        Assert.Equal(layer.Blob, bytes.ToArray());
    }

    [Fact]
    public async Task Spans_that_are_here_already_are_not_written_over()
    {
        await using var h = Rangeless(true, Fault.None);
        await h.ReadSpanAsync(7);
        h.Server.Standing = new Fault { IgnoresRange = true, CorruptAt = (7 * SpanBytes) + 5 };
        await h.ReadSpanAsync(30);
        await UntilAsync(() => h.Blob.IsFull);
        await h.ReadAndCompareAsync(0, h.Layer.Tar.Length);
        await h.Fetcher.DisposeAsync();
        Assert.False(h.Blob.IsComplete); // what came was not the layer, though every span here is
        Assert.Contains(h.Log.Lines, line => line.Contains("is not the layer", StringComparison.Ordinal));
        Assert.Equal(0, h.Statistics[ReadCount.VerificationFailures]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_breaks_off_is_asked_for_again_and_what_came_is_kept(bool breaksTwice)
    {
        await using var h = Rangeless(null, new Fault { IgnoresRange = true });
        h.Server.Then(new Fault { IgnoresRange = true, ErrorAfter = 20 * SpanBytes });
        if (breaksTwice)
            h.Server.Then(new Fault { IgnoresRange = true, EndAfter = 30 * SpanBytes });
        var read = h.ReadSpanAsync(50).WaitAsync(Patience);
        if (breaksTwice)
        {
            var failure = await Assert.ThrowsAsync<SpanFetchException>(() => read);
            Assert.Contains($"ended at byte {30 * SpanBytes}", failure.Message, StringComparison.Ordinal);
            Assert.Equal(30, h.Blob.PresentCount);
            await h.ReadSpanAsync(50).WaitAsync(Patience);
        }

        await read.ContinueWith(_ => { }, TaskScheduler.Default);
        await UntilAsync(() => h.Blob.IsComplete);
        Assert.Equal(breaksTwice ? 3 : 2, h.Server.Requests.Count);
        Assert.Equal(60, h.Statistics[ReadCount.SpansVerified]); // each once, though the bytes came more than once
    }

    [Fact]
    public async Task A_damaged_span_is_asked_for_once_more_and_costs_the_others_nothing()
    {
        await using var h = Rangeless(null, new Fault { IgnoresRange = true });
        h.Server.Then(new Fault { IgnoresRange = true, CorruptAt = (20 * SpanBytes) + 1 });
        await h.ReadAndCompareAsync(h.Layer.StartOf(20), 4 * SpanBytes);
        await UntilAsync(() => h.Blob.IsComplete);
        Assert.Equal(2, h.Server.Requests.Count);
        Assert.Equal(1, h.Statistics[ReadCount.VerificationFailures]);
    }

    [Fact]
    public async Task Where_the_whole_is_right_and_a_span_is_not_the_index_is_doubted_at_once()
    {
        await using var h = new LayerHarness(
            TestLayer.Uniform(60, SpanBytes).WithWrongDigest(20), _folder.Path, options: LayerHarness.NoReadAhead);
        h.Server.Standing = new Fault { IgnoresRange = true };
        h.Server.GivesRanges = null;
        var doubted = new List<SpanId>();
        h.Blob.Mismatched += doubted.Add;
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(20).WaitAsync(Patience));
        Assert.Contains("digest", failure.Message, StringComparison.Ordinal);
        await h.Fetcher.DisposeAsync();
        Assert.Equal([new SpanId(20)], doubted);
        Assert.Single(h.Server.Requests);
        Assert.Equal(59, h.Blob.PresentCount);
        Assert.False(h.Blob.IsComplete);
    }

    [Fact]
    public async Task It_goes_on_when_everybody_has_given_up_and_serves_who_comes_later()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(null, new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes, Release = release.Task });
        await ReadAndGiveUpAsync(h, () => h.Server.BytesSent == 5 * SpanBytes);
        var later = h.ReadSpanAsync(40);
        release.SetResult();
        await later.WaitAsync(Patience);
        await UntilAsync(() => h.Blob.IsComplete);
        Assert.Single(h.Server.Requests);
        Assert.Equal(0, h.Server.Cancelled);
    }

    [Fact]
    public async Task It_ends_when_nobody_has_waited_for_long()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(
            null, new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes, Release = release.Task },
            LayerHarness.NoReadAhead with { UnwantedBytesMax = 10 * SpanBytes });
        await ReadAndGiveUpAsync(h, () => h.Blob.PresentCount == 5);
        release.SetResult();
        await UntilAsync(() => h.Log.Lines.Any(line => line.Contains("nobody waits", StringComparison.Ordinal)));
        Assert.Equal(16, h.Blob.PresentCount);
        await h.ReadSpanAsync(50).WaitAsync(Patience);
        Assert.Equal(2, h.Server.Requests.Count);
    }

    [Fact]
    public void Who_comes_to_wait_starts_the_count_of_unwanted_bytes_anew_before_anything_passes()
    {
        var spans = TestLayer.Uniform(60, SpanBytes).Spans;
        using var fetch = new SpanFetch([], ReadUrgency.Predicted, Patience);
        var spool = new SpanSpool(fetch, frontier: 0, spans.CompressedLength);
        spool.Passed(spans[new SpanId(0)], good: true, pending: null);
        Assert.Equal(SpanBytes, spool.UnwantedBytes);
        var pending = new PendingSpan(spans[new SpanId(1)], isDemanded: true);
        spool.Attach(pending);
        Assert.Equal(0, spool.UnwantedBytes); // it is not given up at this moment
        pending.IsOver = true;
        spool.Passed(spans[new SpanId(1)], good: true, pending);
        spool.Passed(spans[new SpanId(2)], good: true, pending: null);
        Assert.Equal(3 * SpanBytes, spool.UnwantedBytes);
    }

    [Fact]
    public async Task One_that_breaks_when_nobody_waits_is_not_asked_for_again()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(null, new Fault { IgnoresRange = true });
        h.Server.Then(new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes, Release = release.Task, ErrorAfter = 5 * SpanBytes });
        await ReadAndGiveUpAsync(h, () => h.Blob.PresentCount == 5);
        release.SetResult();
        await UntilAsync(() => h.Log.Lines.Any(line => line.Contains("transfer broke", StringComparison.Ordinal)));
        await Task.Delay(200); // long enough to ask
        Assert.Single(h.Server.Requests);
        await h.ReadSpanAsync(50).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_body_whose_source_has_given_it_up_is_not_begun_again()
    {
        await using var h = Rangeless(null, new Fault { IgnoresRange = true });
        h.Server.Then(new Fault { IgnoresRange = true, ErrorAfter = 20 * SpanBytes, IsFinal = true });
        var failure = await Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(50).WaitAsync(Patience));
        Assert.Contains("5 resumptions", failure.Message, StringComparison.Ordinal);
        Assert.Single(h.Server.Requests);
        Assert.Equal(20, h.Blob.PresentCount);
    }

    [Fact]
    public async Task Of_one_that_is_given_up_the_link_has_brought_what_came_and_not_what_was_announced()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(
            null, new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes, Release = release.Task },
            LayerHarness.NoReadAhead with { UnwantedBytesMax = 2 * SpanBytes });
        await ReadAndGiveUpAsync(h, () => h.Blob.PresentCount == 5);
        release.SetResult();
        await UntilAsync(() => h.Log.Lines.Any(line => line.Contains("nobody waits", StringComparison.Ordinal)));
        await h.Fetcher.DisposeAsync();
        Assert.Equal(h.Server.BytesSent, h.Link.Bytes);
        Assert.Null(h.Link.RoundTripBytes); // 64 KiB are too few to tell
    }

    [Fact]
    public async Task A_body_that_stalls_fails_its_readers_when_time_is_up_and_not_the_next()
    {
        await using var h = Rangeless(
            null, new Fault { IgnoresRange = true }, LayerHarness.NoReadAhead with { Deadline = TimeSpan.FromSeconds(1) });
        h.Server.Then(new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes });
        Task[] reads = [h.ReadSpanAsync(20), h.ReadSpanAsync(50)];
        foreach (var read in reads)
        {
            var failure = await Assert.ThrowsAsync<SpanFetchException>(() => read.WaitAsync(Patience));
            Assert.IsType<TimeoutException>(failure.InnerException);
        }

        Assert.Equal(5, h.Blob.PresentCount);
        await h.ReadSpanAsync(50).WaitAsync(Patience);
    }

    [Fact]
    public async Task Closing_the_fetcher_ends_it_and_its_readers()
    {
        await using var h = Rangeless(null, new Fault { IgnoresRange = true, StallAfter = 5 * SpanBytes });
        var read = h.ReadSpanAsync(50);
        await UntilAsync(() => h.Blob.PresentCount == 5);
        await h.Fetcher.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Patience));
        Assert.Equal(1, h.Server.Cancelled);
    }

    [Fact]
    public async Task A_source_that_cannot_be_opened_fails_every_read_without_a_queue()
    {
        await using var h = Rangeless(null, new Fault { OpenError = "503 from the registry" });
        await Task.WhenAll(
            Enumerable.Range(0, 10).Select(i => Assert.ThrowsAsync<SpanFetchException>(() => h.ReadSpanAsync(i * 5).WaitAsync(Patience))));
        h.Server.Standing = Fault.None;
        await h.ReadSpanAsync(0);
    }

    [Fact]
    public async Task A_first_answer_with_a_range_sets_the_others_free()
    {
        var answer = new TaskCompletionSource();
        await using var h = Rangeless(null, Fault.None);
        h.Server.Then(new Fault { Answer = answer.Task });
        var reads = Enumerable.Range(0, 10).Select(i => h.ReadSpanAsync(i * 5)).ToArray();
        await UntilAsync(() => h.Server.Requests.Count == 1);
        answer.SetResult();
        await Task.WhenAll(reads).WaitAsync(Patience);
        Assert.Equal(10, h.Server.Requests.Count);
        Assert.Equal(10 * SpanBytes, h.Server.BytesSent);
    }

    [Fact]
    public async Task Read_ahead_that_somebody_comes_to_wait_for_is_raised_in_place()
    {
        var release = new TaskCompletionSource();
        await using var h = Rangeless(true, new Fault { StallAfter = 0, Release = release.Task });
        h.Fetcher.FetchAhead(10, 12);
        await UntilAsync(() => h.Server.Requests.Count == 1);
        Assert.Equal(ReadUrgency.Predicted, h.Server.Priorities[0].Urgency);
        var read = h.ReadSpanAsync(11);
        Assert.Equal(ReadUrgency.Demanded, h.Server.Priorities[0].Urgency);
        release.SetResult();
        await read.WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Whoever_asks_first_for_all_is_as_urgent_as_those_behind_it()
    {
        var answer = new TaskCompletionSource();
        await using var h = Rangeless(null, new Fault { IgnoresRange = true, Answer = answer.Task });
        h.Fetcher.FetchAhead(10, 12);
        await UntilAsync(() => h.Server.Requests.Count == 1);
        var read = h.ReadSpanAsync(50);
        await UntilAsync(() => h.Server.Priorities[0].Urgency == ReadUrgency.Demanded);
        answer.SetResult();
        await read.WaitAsync(Patience);
        Assert.Single(h.Server.Requests);
    }

    [Fact]
    public async Task Warming_up_is_a_prediction()
    {
        await using var h = Rangeless(true, Fault.None);
        await h.Reader.WarmAsync(0, h.Layer.Tar.Length, default);
        Assert.All(h.Server.Priorities, priority => Assert.Equal(ReadUrgency.Predicted, priority.Urgency));
    }

    /// <summary>A read of a span far behind that is given up when what it needs has begun to come.</summary>
    private static async Task ReadAndGiveUpAsync(LayerHarness h, Func<bool> hasBegun)
    {
        using var impatient = new CancellationTokenSource();
        var read = h.ReadSpanAsync(50, impatient.Token);
        await UntilAsync(hasBegun);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var end = DateTime.UtcNow + Patience; !condition();)
        {
            Assert.True(DateTime.UtcNow < end, "did not happen");
            await Task.Delay(5);
        }
    }

    private LayerHarness Rangeless(bool? believed, Fault standing, SpanFetcherOptions? options = null)
    {
        var h = new LayerHarness(TestLayer.Uniform(60, SpanBytes), _folder.Path, options: options ?? LayerHarness.NoReadAhead);
        h.Server.GivesRanges = believed;
        h.Server.Standing = standing;
        return h;
    }
}
