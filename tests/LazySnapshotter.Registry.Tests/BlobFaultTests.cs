using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// What can go wrong while the bytes of a blob come, and what comes of it: the right bytes, or an error that says why.
public sealed class BlobFaultTests
{
    private const int Start = 1000;
    private const int Length = 200_000;

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_host_that_cannot_now_is_asked_again(int status)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Blob, times: 3));
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Ping Blob Blob Blob Blob", bench.TakeRequests());
        Assert.Equal(3, bench.Client.Statistics.Repetitions);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_host_that_never_can_is_asked_six_times_in_all(int status)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Blob, body: """{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"""));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Unavailable, error.Failure);
        Assert.Equal(status, (int)error.StatusCode!);
        Assert.Equal(6, bench.Server.Count(TestRequestKind.Blob));
        AssertNames(error, bench, "bytes 1000-200999", "TOOMANYREQUESTS: slow down");
    }

    [Fact]
    public async Task Failures_do_not_outlive_their_backoff()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Blob, times: 6));
        await bench.FailsAsync(Start, Length);
        await bench.AssertReadsAsync(Start, Length);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("date")]
    public async Task Retry_After_is_honoured_in_seconds_and_as_a_date(string value)
    {
        await using var bench = await Bench.StartAsync();
        await bench.AssertReadsAsync(0, 1);
        var header = value == "date" ? DateTimeOffset.UtcNow.AddSeconds(2).ToString("R") : value;
        bench.Server.Faults.Add(Fault.Status(429, TestRequestKind.Blob, times: 1) with { Headers = new Dictionary<string, string> { ["Retry-After"] = header } });
        var started = DateTime.UtcNow;
        await bench.AssertReadsAsync(Start, Length);
        Assert.InRange(DateTime.UtcNow - started, TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData(404, RegistryFailure.NotFound)]
    [InlineData(403, RegistryFailure.Unauthorized)]
    [InlineData(400, RegistryFailure.Refused)]
    [InlineData(451, RegistryFailure.Refused)]
    public async Task A_refusal_is_final_and_quotes_the_registry(int status, RegistryFailure failure)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Blob, body: """{"errors":[{"code":"DENIED","message":"not for you"}]}"""));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(failure, error.Failure);
        Assert.Equal(bench.Blob.Digest, error.Digest);
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Blob));
        AssertNames(error, bench, "bytes 1000-200999", $"{status}", "DENIED: not for you");
    }

    [Fact]
    public async Task Reads_that_wait_for_the_first_share_its_refusal_and_name_their_own_range()
    {
        await using var bench = await Bench.StartAsync();
        await bench.AssertReadsAsync(0, 1);
        var missing = Oci.Digest.OfSha256("missing"u8);
        bench.Server.ClearLog();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(1) });
        var errors = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(bench.Reference, missing, null).OpenExactRangeAsync(i * 100, 100, ReadPriority.Demanded(), CancellationToken.None))));
        Assert.Equal("Blob", bench.TakeRequests());
        for (var i = 0; i < errors.Length; i++)
        {
            Assert.Equal(RegistryFailure.NotFound, errors[i].Failure);
            Assert.StartsWith($"{bench.Server.Host}: blob {missing} bytes {i * 100}-{i * 100 + 99}: ", errors[i].Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_remembered_place_that_is_gone_is_asked_for_anew()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Cdn, ResetBeforeAnswer = true, Times = 1 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Cdn Blob Cdn", bench.TakeRequests());
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_remembered_place_that_refuses_is_asked_for_anew_once(int status)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Cdn));
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(status, (int)error.StatusCode!);
        Assert.Equal(bench.Server.CdnHost, error.Host);
        Assert.Equal("Cdn Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_remembered_place_that_cannot_now_is_asked_again_itself()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Cdn, times: 2));
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Cdn Cdn Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_page_for_people_is_not_quoted()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.HtmlPage(404, TestRequestKind.Blob));
        var error = await bench.FailsAsync(Start, Length);
        AssertNames(error, bench, "404 Not Found: (an HTML page)");
        Assert.DoesNotContain("<", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_with_an_endless_body_is_still_an_error()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(404, TestRequestKind.Blob) with { EndlessBody = true });
        Assert.Equal(HttpStatusCode.NotFound, (await bench.FailsAsync(Start, Length)).StatusCode);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_continued_at_its_byte()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 50_000, Times = 1 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal(["bytes=1000-200999", "bytes=51000-200999"], bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Blob).Select(r => r.Range!));
        Assert.Equal(1, bench.Client.Statistics.ResumedBodies);
        Assert.Equal(Length, bench.Client.Statistics.BlobBytes);
    }

    [Fact]
    public async Task A_body_whose_connection_is_reset_is_continued()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, ResetAt = 50_000, Times = 3 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal(4, bench.Server.Count(TestRequestKind.Blob));
    }

    [Fact]
    public async Task A_body_that_ends_early_without_saying_so_is_continued()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, EndAt = 77, Times = 2 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Ping Blob Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_body_that_falls_silent_is_continued_elsewhere()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, StallAt = 60_000, Times = 1 });
        await bench.AssertReadsAsync(Start, Length);
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_body_that_always_breaks_at_once_fails_after_five_resumptions()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 10 });
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        AssertNames(error, bench, "bytes 1000-200999", "after 5 resumptions");
        Assert.InRange(bench.Server.Count(TestRequestKind.Blob), 6, 12);
    }

    [Fact]
    public async Task A_connection_that_breaks_before_the_answer_is_made_again()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, ResetBeforeAnswer = true, Times = 2 });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Fact]
    public async Task A_host_that_always_breaks_the_connection_is_unreachable()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, ResetBeforeAnswer = true });
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        AssertNames(error, bench, "bytes 1000-200999");
    }

    [Fact]
    public async Task A_host_that_is_not_there_is_unreachable()
    {
        await using var bench = await Bench.StartAsync();
        var nowhere = Oci.ImageReference.Parse("127.0.0.1:1/library/python");
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(nowhere, bench.Blob.Digest, null).OpenExactRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Contains("127.0.0.1:1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_answer_is_given_up_and_asked_for_again()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { ResponseTimeout = TimeSpan.FromMilliseconds(300) });
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromSeconds(30), Times = 1 });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Fact]
    public async Task A_body_that_drips_ends_at_the_deadline()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RangeDeadline = TimeSpan.FromMilliseconds(800) });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, BytesPerSecond = 1000 });
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.TimedOut, error.Failure);
        AssertNames(error, bench, "bytes 1000-200999", "deadline of 0.8 s");
    }

    [Fact]
    public async Task A_wait_for_a_busy_host_ends_at_the_deadline()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RangeDeadline = TimeSpan.FromMilliseconds(500) });
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Faults.Add(Fault.Status(429, TestRequestKind.Blob) with { Headers = new Dictionary<string, string> { ["Retry-After"] = "3600" } });
        Assert.Equal(RegistryFailure.TimedOut, (await bench.FailsAsync(Start, Length)).Failure);
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation_and_leaves_the_others_alone()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Delay = TimeSpan.FromMilliseconds(300), Times = 1 });
        using var impatience = new CancellationTokenSource();
        var first = bench.OpenBlob().OpenExactRangeAsync(0, 10, ReadPriority.Demanded(), impatience.Token);
        while (bench.Server.Count(TestRequestKind.Blob) == 0)
            await Task.Delay(5);
        var second = bench.AssertReadsAsync(Start, Length);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await second;
    }

    [Fact]
    public async Task A_read_that_was_cancelled_can_be_repeated_on_the_same_stream()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, StallAt = 0, Times = 1 });
        await using var stream = await bench.OpenBlob().OpenExactRangeAsync(Start, Length, ReadPriority.Demanded(), CancellationToken.None);
        using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.ReadExactlyAsync(new byte[10], impatience.Token));
        Assert.Equal(bench.Content[Start..(Start + Length)], await Bench.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_host_that_ignores_Range_gives_the_wanted_bytes_all_the_same()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        var blob = bench.OpenBlob();
        Assert.False(blob.IgnoresRange);
        Assert.Equal(bench.Content[Start..(Start + 500)], await bench.ReadAsync(Start, 500, blob));
        Assert.True(blob.IgnoresRange);
        await bench.AssertReadsAsync(200_000, 100);
        Assert.Single(bench.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));

        bench.Server.Faults.Clear();
        await bench.AssertReadsAsync(Start, 500);
        Assert.False(blob.IgnoresRange);
    }

    [Fact]
    public async Task A_host_that_ignores_Range_and_breaks_off_gives_the_wanted_bytes_too()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, ResetAt = 150_000, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, ResetAt = 500, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Theory]
    [InlineData("bytes 0-199999/300000", "begins at byte 0, asked for byte 1000")]
    [InlineData("bytes 1001-200999/300000", "begins at byte 1001")]
    [InlineData("bytes 1000-201000/300000", "ends at byte 201000")]
    [InlineData("bytes 1000-200999/300001", "300001 bytes, its descriptor says 300000")]
    [InlineData("bytes 1000-200998/300000", "has 199999 bytes, Content-Length 200000")]
    [InlineData("items 1000-200999/300000", "without a Content-Range in bytes")]
    [InlineData("nonsense", "without a Content-Range in bytes")]
    [InlineData("bytes 1000-999999999999999999999999/300000", "without a Content-Range in bytes")]
    public async Task A_wrong_Content_Range_is_never_believed(string contentRange, string complaint)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Headers = new Dictionary<string, string> { ["Content-Range"] = contentRange } });
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        AssertNames(error, bench, "bytes 1000-200999", complaint);
    }

    [Fact]
    public async Task A_total_of_star_is_allowed()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Headers = new Dictionary<string, string> { ["Content-Range"] = "bytes 1000-200999/*" } });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Fact]
    public async Task A_compressed_answer_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Headers = new Dictionary<string, string> { ["Content-Encoding"] = "gzip" } });
        AssertNames(await bench.FailsAsync(Start, Length), bench, "compressed with gzip");
    }

    [Fact]
    public async Task A_blob_of_another_length_than_its_descriptor_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, 299_999);
        var error = await Assert.ThrowsAsync<RegistryException>(() => blob.OpenAsync(ReadPriority.Demanded(), CancellationToken.None));
        AssertNames(error, bench, "300000 bytes by Content-Length, its descriptor says 299999");
    }

    [Fact]
    public async Task A_range_beyond_the_end_is_not_even_asked_for_if_the_size_is_known()
    {
        await using var bench = await Bench.StartAsync();
        var error = await bench.FailsAsync(299_000, 1001);
        Assert.Equal(RegistryFailure.RangeNotSatisfiable, error.Failure);
        Assert.Empty(bench.Server.Requests);
    }

    [Fact]
    public async Task A_descriptor_that_says_too_much_meets_416()
    {
        await using var bench = await Bench.StartAsync();
        var blob = bench.Client.OpenBlob(bench.Reference, bench.Blob.Digest, 400_000);
        var error = await Assert.ThrowsAsync<RegistryException>(() => blob.OpenExactRangeAsync(350_000, 10, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.RangeNotSatisfiable, error.Failure);
        AssertNames(error, bench, "bytes 350000-350009", "the blob there has 300000 bytes", "its descriptor says 400000");
    }

    [Fact]
    public async Task An_endless_body_ends_where_the_range_ends()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, EndlessBody = true });
        await bench.AssertReadsAsync(Start, Length);
    }

    [Fact]
    public async Task A_redirect_loop_is_cut_after_ten()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, RedirectLoop = true });
        var error = await bench.FailsAsync(Start, Length);
        AssertNames(error, bench, "more than 10 redirects");
        Assert.Equal(11, bench.Server.Count(TestRequestKind.Blob));
    }

    [Theory]
    [InlineData("", "without a usable Location")]
    [InlineData("ftp://127.0.0.1/blob", "scheme \"ftp\"")]
    [InlineData("file:///etc/shadow", "scheme \"file\"")]
    public async Task A_redirect_to_nowhere_is_refused(string location, string complaint)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(307, TestRequestKind.Blob) with { Headers = new Dictionary<string, string> { ["Location"] = location } });
        AssertNames(await bench.FailsAsync(Start, Length), bench, complaint);
    }

    [Fact]
    public async Task A_header_of_a_megabyte_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, Headers = new Dictionary<string, string> { ["X-Long"] = new string('x', 1 << 20) } });
        var error = await bench.FailsAsync(Start, Length);
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        AssertNames(error, bench, "longer than 64 KiB");
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Blob));
    }

    [Fact]
    public async Task A_flipped_byte_is_left_to_those_who_hold_the_digest()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, CorruptAt = 5 });
        var read = await bench.ReadAsync(Start, Length);
        Assert.Equal((byte)(bench.Content[Start + 5] ^ 0xff), read[5]);

        var small = bench.Server.Content.AddBlob(Bench.Repository, [.. bench.Content.AsSpan(0, 1000)]);
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.Client.GetBlobBytesAsync(bench.Reference, small, CancellationToken.None));
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains($"{small.Digest}: the 1000 bytes received have the digest sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_every_fault_now_and_then_every_byte_is_still_right()
    {
        const int Seed = 20240607;
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true, Seed = Seed }, Bench.Impatient with { StallTimeout = TimeSpan.FromMilliseconds(150) });
        foreach (var fault in (ReadOnlySpan<Fault>)[
            Fault.Status(503), Fault.Status(429), new() { ResetBeforeAnswer = true },
            new() { Kind = TestRequestKind.Cdn, ResetAt = 700 }, new() { Kind = TestRequestKind.Cdn, TruncateAt = 800 }, new() { Kind = TestRequestKind.Cdn, EndAt = 300 },
            new() { Kind = TestRequestKind.Cdn, StallAt = 5 }, new() { Kind = TestRequestKind.Cdn, IgnoreRange = true },
            Fault.Status(403, TestRequestKind.Cdn)])
        {
            bench.Server.Faults.Add(fault with { Probability = 0.05 });
        }

        var random = new Random(Seed);
        var ranges = Enumerable.Range(0, 200).Select(_ => (Offset: random.Next(290_000), Length: random.Next(1, 10_000))).ToList();
        await Parallel.ForEachAsync(ranges, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (range, _) =>
        {
            try
            {
                await bench.AssertReadsAsync(range.Offset, range.Length);
            }
            catch (RegistryException e)
            {
                // A 403 for a URL that is one request old is final: the next read tries again.
                Assert.True(e.Failure == RegistryFailure.Unauthorized, $"seed {Seed}: {e}");
            }
        });
    }

    private static void AssertNames(RegistryException error, Bench bench, params string[] parts)
    {
        Assert.StartsWith(error.Host, error.Message, StringComparison.Ordinal);
        Assert.Contains(bench.Blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }
}
