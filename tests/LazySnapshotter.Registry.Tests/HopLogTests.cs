using System.Text.RegularExpressions;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// What a person sees of the requests, and what is counted of them.
public sealed class HopLogTests
{
    [Fact]
    public async Task Each_hop_leaves_one_line_with_what_was_received_of_its_body()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1000);
        var lines = HopLines(bench);
        Assert.Equal(4, lines.Length);
        Assert.Matches($"^Debug: GET http://{bench.Server.Host}/v2/ : 401, [0-9]+ bytes received, first byte after [0-9.]+ ms, queued " +
            $"[0-9.]+ ms, attempt 0$", lines[0]);
        Assert.Matches($"^Debug: GET http://{bench.Server.TokenHost}/token : 200, [0-9]+ bytes received", lines[1]);
        Assert.Matches($"^Debug: GET http://{bench.Server.Host}/v2/library/python/blobs/{bench.Blob.Digest} bytes 0-999: 307, 0 bytes " +
            $"received", lines[2]);
        Assert.Matches($"^Debug: GET http://{bench.Server.CdnHost}/library/python/blobs/{bench.Blob.Digest} bytes 0-999: 206, 1000 bytes " +
            $"received", lines[3]);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_reported_with_what_came_of_it_and_once()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 100, Times = 1 });
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal(["100", "900"], HopLines(bench).Where(line => line.Contains(": 206", StringComparison.Ordinal))
            .Select(line => Regex.Match(line, "([0-9]+) bytes received").Groups[1].Value));
        Assert.Equal(1, bench.Client.Statistics.TroublesOf(RequestTrouble.BrokenBody));
    }

    [Fact]
    public async Task The_last_break_of_a_body_counts_like_those_before_it()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RetryLimit = 2 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, TruncateAt = 100 });
        await Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(0, 1000));
        Assert.Equal((3, 2), (bench.Client.Statistics.TroublesOf(RequestTrouble.BrokenBody), bench.Client.Statistics.ResumedBodies));
    }

    [Fact]
    public async Task A_repetition_that_is_redirected_counts_once()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { RedirectBlobs = true });
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Cdn, times: 1));
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Blob Cdn Blob Cdn", bench.TakeRequests());
        Assert.Equal(1, bench.Client.Statistics.Repetitions);
    }

    [Fact]
    public async Task A_warning_is_passed_on_once_for_each_text_and_host()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault
        {
            Kind = TestRequestKind.Blob,
            Headers = new Dictionary<string, string> { ["Warning"] = "299 - \"this registry closes on \\\"Friday\\\"\"" },
        });
        for (var i = 0; i < 3; i++)
            await bench.AssertReadsAsync(0, 1);
        Assert.Equal(
            [$"Warning: {bench.Server.Host} says: this registry closes on \"Friday\""],
            bench.Log.Lines.Where(line => line.Contains(" says: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("299 - \"text\"", "text")]
    [InlineData("299 host:80 \"text\" \"Sat, 21 Nov 2026 12:00:00 GMT\"", "text")]
    [InlineData("299 - \"a\\\"b\"", "a\"b")]
    [InlineData("299 - \"a\tb\u0001c\"", "a b c")]
    [InlineData("299 - \"unclosed", "unclosed")]
    [InlineData("299 - \"", "")]
    [InlineData("199 - \"text\"", null)]
    [InlineData("299 - text", null)]
    [InlineData("299 -", null)]
    [InlineData("299", null)]
    [InlineData("", null)]
    public void Of_a_warning_its_text_is_taken(string value, string? text) => Assert.Equal(text, HostWarnings.TextOf(value));

    [Fact]
    public async Task What_happened_between_two_moments_is_told_in_one_line()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer, RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 1000);
        var before = bench.Client.Statistics.Counts;
        bench.Server.Faults.Add(Fault.Status(429, TestRequestKind.Cdn, times: 1));
        await bench.AssertReadsAsync(0, 1000);
        var since = bench.Client.Statistics.Counts.Since(before);
        Assert.Equal((2, 0, 0, 0, 1, 1), (since.Requests, since.Pings, since.Tokens, since.Redirects, since.Repetitions, since.Throttled));
        Assert.Equal((1000, 1), (since.Bytes, since.Remembered));
        Assert.StartsWith("2 requests (0 pings, 0 tokens, 0 redirected) over ", since.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 repeated, 1 failed, 1 throttled", since.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, bench.Client.Statistics.RememberedOf(RememberedThing.Location));
    }

    private static string[] HopLines(Bench bench) =>
        [.. bench.Log.Lines.Where(line => line.Contains(" bytes received, ", StringComparison.Ordinal))];
}
