using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Round trips are what a cold start pays for, so each one is counted.
public sealed class RequestCountTests
{
    private static readonly TestRegistryOptions Bearer = new() { Auth = TestAuthMode.Bearer };
    private static readonly TestRegistryOptions BearerWithCdn = new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true };

    [Fact]
    public async Task An_open_registry_is_pinged_once_and_then_each_read_is_one_request()
    {
        await using var bench = await Bench.StartAsync();
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Blob", bench.TakeRequests());
        await bench.AssertReadsAsync(5000, 1000);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task With_tokens_and_redirects_the_first_read_is_four_requests_and_the_second_is_one()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
        await bench.AssertReadsAsync(299_000, 1000);
        Assert.Equal("Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_second_layer_of_the_repository_needs_neither_ping_nor_token()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();

        var second = bench.Server.Content.AddBlob(Bench.Repository, [1, 2, 3]);
        var blob = bench.Client.OpenBlob(bench.Reference, second.Digest, second.Size);
        Assert.Equal([2, 3], await bench.ReadAsync(1, 2, blob));
        Assert.Equal("Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task Another_repository_needs_its_own_token_and_its_own_proof_that_the_blob_is_there()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();

        var elsewhere = bench.Server.Reference("private/python");
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(elsewhere, bench.Blob.Digest, bench.Blob.Size)
                .OpenExactRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal("Token Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task Ten_layers_at_once_cost_one_ping_and_one_token()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        var layers = Enumerable.Range(0, 10)
            .Select(i => bench.Server.Content.AddBlob(Bench.Repository, [.. Enumerable.Repeat((byte)i, 500)])).ToList();
        await Task.WhenAll(layers.Select(async layer =>
        {
            var read = await bench.ReadAsync(100, 400, bench.Client.OpenBlob(bench.Reference, layer.Digest, layer.Size));
            Assert.Equal(400, read.Length);
        }));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Ping));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Token));
        Assert.Equal(10, bench.Server.Count(TestRequestKind.Blob));
        Assert.Equal(10, bench.Server.Count(TestRequestKind.Cdn));
    }

    [Fact]
    public async Task Ten_reads_of_one_new_blob_at_once_ask_the_registry_once()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => bench.AssertReadsAsync(i * 1000, 1000)));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Ping));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Token));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Blob));
        Assert.Equal(10, bench.Server.Count(TestRequestKind.Cdn));
    }

    [Fact]
    public async Task An_expired_url_is_not_tried_but_asked_for_anew()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        // The token's five minutes are over too.
        bench.Clock.Advance(TimeSpan.FromMinutes(10));
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Token Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_refused_url_is_asked_for_anew_once_for_all_who_wait()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.SignedUrls.RevokeAll();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => bench.AssertReadsAsync(i * 1000, 1000)));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Blob));
        Assert.Equal(10, bench.Server.Requests.Count(r => r.Kind == TestRequestKind.Cdn && r.StatusCode == 206));
    }

    [Fact]
    public async Task A_token_close_to_its_end_is_renewed_without_making_anybody_wait()
    {
        // An answer that is late is not to be asked for again here.
        await using var bench = await Bench.StartAsync(Bearer, Bench.Impatient with { ResponseTimeout = TimeSpan.FromSeconds(20) });
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(20));
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Token, Delay = TimeSpan.FromSeconds(1.5) });
        var started = DateTime.UtcNow;
        await bench.AssertReadsAsync(1, 1);
        Assert.InRange(DateTime.UtcNow - started, TimeSpan.Zero, TimeSpan.FromSeconds(1.4));
        while (bench.Server.Requests.All(r => r.Kind != TestRequestKind.Token || r.StatusCode == 0 || r.BytesSent == 0))
            await Task.Delay(10);
        await Task.Delay(50);
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Token));
    }

    [Fact]
    public async Task A_revoked_token_is_replaced_once_in_the_middle_of_its_life()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        bench.Server.Tokens.RevokeAll();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob Token Blob", bench.TakeRequests());
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task An_image_is_resolved_with_one_request_per_document()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "other", [bench.Blob]);
        bench.Server.Content.AddIndex(Bench.Repository, "latest", [manifest]);
        var resolved = await bench.Client.ResolveAsync(bench.Reference, Oci.Platform.Current, CancellationToken.None);
        Assert.Equal("Ping Token Manifest Manifest", bench.TakeRequests());
        var config = await bench.Client.GetBlobBytesAsync(bench.Reference, resolved.Manifest.Config, CancellationToken.None);
        Assert.Equal(resolved.Manifest.Config.Size, config.Length);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task Statistics_and_observer_see_what_the_server_saw()
    {
        var hops = new System.Collections.Concurrent.ConcurrentQueue<RegistryHop>();
        await using var bench = await Bench.StartAsync(BearerWithCdn, Bench.Impatient with { OnHop = hops.Enqueue });
        await bench.AssertReadsAsync(10, 1000);
        var statistics = bench.Client.Statistics;
        Assert.Equal(bench.Server.Requests.Count, statistics.Requests);
        Assert.Equal(2, statistics.RequestsOf(RegistryRequestKind.Blob));
        Assert.Equal(1, statistics.Redirects);
        Assert.Equal(0, statistics.Failures);
        Assert.Equal(1000, statistics.BlobBytes);
        Assert.Equal(["Ping", "Token", "Blob", "Blob"], hops.Select(h => h.Kind.ToString()));
        Assert.All(hops, hop => Assert.DoesNotContain("?", hop.Url, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_request_asks_for_bytes_as_they_are_and_says_who_asks()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(10, 1000);
        Assert.All(bench.Server.Requests, request =>
        {
            Assert.Equal("identity", request.AcceptEncoding);
            Assert.StartsWith("lazysnap/", request.UserAgent, StringComparison.Ordinal);
            Assert.Null(request.Cookie);
        });
        Assert.Equal("bytes=10-1009", bench.Server.Requests.Last().Range);
    }
}
