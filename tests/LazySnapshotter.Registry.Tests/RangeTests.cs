using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// What a host may answer to a range, beside the range: the whole blob, less than was asked for, a refusal. What else, FaultMatrix has.
public sealed class RangeTests
{
    private const int Start = 1000;
    private const int Length = 200_000;

    private static readonly Fault IgnoresRange = new() { Kind = TestRequestKind.Blob, IgnoreRange = true };

    [Fact]
    public async Task A_host_that_ignores_Range_hands_over_the_whole_blob_with_one_request()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(IgnoresRange);
        await using var range = await bench.OpenBlob().OpenRangeAsync(Start, 500, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal((0L, 300_000L), (range.Offset, range.EndExclusive));
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(range.Body));
        Assert.Equal("Ping Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_whole_blob_of_unannounced_length_is_handed_over_too()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(IgnoresRange with { EndAt = 300_000 });
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, null);
        await using var range = await blob.OpenRangeAsync(Start, 500, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal((0L, null), (range.Offset, range.EndExclusive));
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(range.Body));
    }

    [Fact]
    public async Task A_whole_blob_has_the_time_of_a_whole_blob()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RangeDeadline = TimeSpan.FromSeconds(1) });
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Faults.Add(IgnoresRange with { BytesPerSecond = 200_000 });
        await using var range = await bench.OpenBlob().OpenRangeAsync(Start, 500, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(range.Body));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_whole_blob_that_breaks_off_goes_on_where_it_stopped(bool stillIgnoresRange)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(IgnoresRange with { TruncateAt = 120_000, Times = 1 });
        if (stillIgnoresRange)
            bench.Server.Faults.Add(IgnoresRange);
        await using var range = await bench.OpenBlob().OpenRangeAsync(Start, 500, ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(range.Body));
        Assert.Equal(["bytes=1000-1499", "bytes=120000-299999"], BlobRanges(bench));
        Assert.Equal(stillIgnoresRange ? 420_000 : 300_000, bench.Server.BytesOf(TestRequestKind.Blob));
    }

    [Fact]
    public async Task Whether_a_host_gives_ranges_is_known_after_its_first_answer_and_asked_again_after_a_while()
    {
        await using var bench = await Bench.StartAsync();
        var other = bench.Client.OpenBlob(bench.Reference, Oci.Digest.OfSha256("other"u8), 5);
        Assert.Null(bench.OpenBlob().GivesRanges);
        bench.Server.Faults.Add(IgnoresRange with { Times = 1 });
        await bench.AssertReadsAsync(Start, 500);
        Assert.False(bench.OpenBlob().GivesRanges);
        Assert.False(other.GivesRanges);
        bench.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(bench.OpenBlob().GivesRanges);
        await bench.AssertReadsAsync(Start, 500);
        Assert.True(bench.OpenBlob().GivesRanges);
        Assert.True(other.GivesRanges);
    }

    [Fact]
    public async Task A_pull_through_cache_gives_ranges_of_one_blob_and_not_of_another()
    {
        await using var bench = await Bench.StartAsync();
        var missed = bench.Server.Content.AddBlob(Bench.Repository, [.. bench.Content.Reverse()]);
        var missedBlob = bench.Client.OpenBlob(bench.Reference, missed.Digest, missed.Size);
        bench.Server.Faults.Add(
            IgnoresRange with { When = request => request.Path.EndsWith(missed.Digest.ToString(), StringComparison.Ordinal) });
        await bench.ReadAsync(Start, 500, missedBlob);
        await bench.AssertReadsAsync(Start, 500);
        Assert.True(bench.OpenBlob().GivesRanges);
        Assert.False(missedBlob.GivesRanges);
    }

    [Fact]
    public async Task Less_than_was_asked_for_is_taken_and_the_rest_asked_for()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Short(1000, 101_000, 300_000.ToString()));
        bench.Server.Faults.Add(Short(101_000, 151_000, "*"));
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal(["bytes=1000-200999", "bytes=101000-200999", "bytes=151000-200999"], BlobRanges(bench));
        Assert.Equal(0, bench.Client.Statistics.ResumedBodies);
    }

    [Fact]
    public async Task A_host_that_answers_in_crumbs_is_given_up()
    {
        await using var bench = await Bench.StartAsync();
        for (var i = 0; i < 100; i++)
            bench.Server.Faults.Add(Short(Start + (i * 10), Start + (i * 10) + 10, "300000"));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Contains("bytes 1000-200999", error.Message, StringComparison.Ordinal);
        Assert.InRange(bench.Server.Count(TestRequestKind.Blob), 6, 12);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(416)]
    [InlineData(501)]
    public async Task A_host_that_refuses_ranges_hands_over_the_whole_blob_and_is_not_asked_for_a_range_of_it_for_a_while(int status)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Blob) with { When = request => request.Range is not null });
        await using (var range = await bench.OpenBlob().OpenRangeAsync(Start, 500, ReadPriority.Demanded(), CancellationToken.None))
        {
            Assert.Equal((0L, 300_000L), (range.Offset, range.EndExclusive));
            Assert.Equal(bench.Content, await Bench.ReadAllAsync(range.Body));
        }

        Assert.Equal(["bytes=1000-1499", null], BlobRanges(bench));
        Assert.False(bench.OpenBlob().GivesRanges);
        var warning = Assert.Single(bench.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
        Assert.Contains("gives no ranges", warning, StringComparison.Ordinal);
        await bench.AssertReadsAsync(Start, 500);
        Assert.Equal(["bytes=1000-1499", null, null], BlobRanges(bench));

        bench.Server.Faults.Clear();
        bench.Clock.Advance(TimeSpan.FromMinutes(11));
        await bench.AssertReadsAsync(Start, 500);
        Assert.Equal("bytes=1000-1499", BlobRanges(bench).Last());
        Assert.True(bench.OpenBlob().GivesRanges);
    }

    [Fact]
    public async Task A_whole_blob_of_a_host_that_refuses_ranges_is_continued_where_it_broke_off()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(403, TestRequestKind.Blob) with { When = request => request.Range is not null });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 120_000, Times = 1 });
        await using var stream = await bench.OpenBlob().OpenAsync(ReadPriority.Demanded(), CancellationToken.None);
        Assert.Equal(bench.Content, await Bench.ReadAllAsync(stream));
        Assert.Equal([null, "bytes=120000-299999", null], BlobRanges(bench));
    }

    [Fact]
    public async Task A_url_that_expired_is_no_refusal_of_ranges()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1);
        bench.Server.SignedUrls.RevokeAll();
        bench.TakeRequests();
        await bench.AssertReadsAsync(Start, 500);
        Assert.All(bench.Server.Requests, request => Assert.NotNull(request.Range));
        Assert.True(bench.OpenBlob().GivesRanges);
        Assert.Equal("Cdn Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task Accept_Ranges_none_is_not_believed_where_a_range_comes()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob }.With("Accept-Ranges", "none"));
        await bench.AssertReadsAsync(Start, Length);
        Assert.True(bench.OpenBlob().GivesRanges);
    }

    [Fact]
    public async Task A_body_that_breaks_after_its_url_expired_goes_on_at_the_new_place()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Cdn, TruncateAt = 50_000, Times = 1 });
        await using var range = await bench.OpenBlob().OpenRangeAsync(Start, Length, ReadPriority.Demanded(), CancellationToken.None);
        bench.Server.SignedUrls.RevokeAll();
        Assert.Equal(bench.Content[Start..(Start + Length)], await Bench.ReadAllAsync(range.Body));
        Assert.Equal("Cdn Cdn Blob Cdn", bench.TakeRequests());
    }

    // Of 206 with a range that begins there: what it says, and the body it promises.
    private static Fault Short(int start, int end, string total) => new()
    {
        Kind = TestRequestKind.Blob,
        When = request => request.Range?.StartsWith($"bytes={start}-", StringComparison.Ordinal) == true,
        EndAt = end - start,
        Headers = new Dictionary<string, string> { ["Content-Range"] = $"bytes {start}-{end - 1}/{total}" },
    };

    private static IEnumerable<string?> BlobRanges(Bench bench) =>
        bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Blob).Select(r => r.Range);
}
