using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// What a process that starts again has to ask for: nothing but the bytes, as long as what was learned is good.
public sealed class RestartTests
{
    private static readonly TestRegistryOptions Bearer = new() { Auth = TestAuthMode.Bearer };
    private static readonly TestRegistryOptions BearerWithCdn = new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true };

    [Fact]
    public async Task A_known_layer_is_read_with_exactly_one_request()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1000);
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
        for (var restart = 0; restart < 3; restart++)
        {
            bench.Restart();
            await bench.AssertReadsAsync(restart * 5000, 1000);
            Assert.Equal("Cdn", bench.TakeRequests());
        }
    }

    [Fact]
    public async Task Ten_known_layers_are_read_with_ten_requests()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        var layers = Enumerable.Range(0, 10)
            .Select(i => bench.Server.Content.AddBlob(Bench.Repository, [.. Enumerable.Repeat((byte)i, 500)])).ToList();
        await ReadAllAsync();
        bench.Restart();
        await ReadAllAsync();
        Assert.Equal(10, bench.Server.Count(TestRequestKind.Cdn));
        Assert.Equal(10, bench.Server.Requests.Count);

        Task ReadAllAsync() => Task.WhenAll(layers.Select(async layer =>
            Assert.Equal(400, (await bench.Bench.ReadAsync(100, 400, bench.Client.OpenBlob(bench.Bench.Reference, layer))).Length)));
    }

    [Fact]
    public async Task Where_the_registry_itself_has_the_blob_its_token_is_still_good()
    {
        await using var bench = await RestartBench.StartAsync(Bearer);
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_second_layer_of_the_repository_needs_neither_ping_nor_token()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        var second = bench.Server.Content.AddBlob(Bench.Repository, [1, 2, 3]);
        Assert.Equal([2, 3], await bench.Bench.ReadAsync(1, 2, bench.Client.OpenBlob(bench.Bench.Reference, second)));
        Assert.Equal("Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task An_expired_url_with_a_good_token_is_asked_for_anew()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn with { UrlLifetime = TimeSpan.FromMinutes(1) });
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(2));
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task With_the_token_expired_too_only_the_ping_is_saved()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn with { UrlLifetime = TimeSpan.FromMinutes(1) });
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(6));
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Token Blob Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_token_close_to_its_end_is_used_and_renewed_behind_the_readers_back()
    {
        await using var bench = await RestartBench.StartAsync(Bearer);
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(20));
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        await bench.AssertReadsAsync(2, 1);
        while (bench.Server.Requests.All(r => r.Kind != TestRequestKind.Token || r.BytesSent == 0))
            await Task.Delay(10);
        await bench.AssertReadsAsync(3, 1);
        Assert.Equal(3, bench.Server.Count(TestRequestKind.Blob));
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Token));
        Assert.Equal(TestRequestKind.Blob, bench.Server.Requests.First().Kind);
    }

    [Fact]
    public async Task A_url_that_was_revoked_meanwhile_is_asked_for_anew_and_not_tried_again()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.Server.SignedUrls.RevokeAll();
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Cdn Blob Cdn", bench.TakeRequests());
        bench.Restart();
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal("Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_token_that_was_revoked_meanwhile_is_replaced_once()
    {
        await using var bench = await RestartBench.StartAsync(Bearer);
        await bench.AssertReadsAsync(0, 1);
        bench.Server.Tokens.RevokeAll();
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob Token Blob", bench.TakeRequests());
        bench.Restart();
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_registry_that_does_not_want_anything_is_not_asked_again_what_it_wants()
    {
        await using var bench = await RestartBench.StartAsync();
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_name_and_password_are_asked_of_config_json_each_time_and_never_written_down()
    {
        await using var bench = await RestartBench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Basic, Username = "someone", Password = "correct horse battery staple" });
        bench.Bench.WriteDockerConfig("someone", "correct horse battery staple");
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
        bench.Stop();
        var written = File.ReadAllText(bench.MemoryPath);
        Assert.All(bench.Server.Tokens.Secrets, secret => Assert.DoesNotContain(secret, written, StringComparison.Ordinal));
        Assert.DoesNotContain("someone", written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_whose_token_service_moved_is_asked_where_to()
    {
        await using var bench = await RestartBench.StartAsync(Bearer);
        bench.Server.Faults.Add(Fault.Status(401, TestRequestKind.Ping, times: 1) with
        {
            Headers = new Dictionary<string,
                string> { ["WWW-Authenticate"] = "Bearer realm=\"http://127.0.0.1:1/token\",service=\"test registry\"" },
        });
        await bench.Bench.FailsAsync(0, 1);
        bench.Stop();
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(2));
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Ping Token Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_registry_that_wants_something_now_gets_it()
    {
        await using var bench = await RestartBench.StartAsync(Bearer);
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Ping));
        bench.Server.Faults.Add(Fault.Status(500, TestRequestKind.Blob, times: 6));
        await bench.Bench.FailsAsync(0, 1);
        bench.Restart();
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Blob Token Blob", bench.TakeRequests());
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task Another_repository_needs_its_own_token_and_its_own_proof_that_the_blob_is_there()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.Restart();
        var elsewhere = bench.Server.Reference("private/python");
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.OpenBlob(elsewhere, bench.Bench.Blob)
                .OpenExactRangeAsync(0, 1, ReadPriority.Demanded(), CancellationToken.None));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal("Token Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_host_that_ignores_ranges_is_known_for_it_until_it_is_time_to_look_again()
    {
        await using var bench = await RestartBench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Blob, IgnoreRange = true, Times = 1 });
        await bench.AssertReadsAsync(5, 10);
        bench.Restart();
        Assert.True(bench.Client.OpenBlob(bench.Bench.Reference, bench.Bench.Blob).IgnoresRange);
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.False(bench.Client.OpenBlob(bench.Bench.Reference, bench.Bench.Blob).IgnoresRange);
    }

    [Fact]
    public async Task A_registry_without_the_referrers_api_is_not_asked_for_it_again_for_a_while()
    {
        await using var bench = await RestartBench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        await bench.Client.ListReferrersAsync(bench.Bench.Reference, bench.Bench.Blob.Digest, null, CancellationToken.None);
        Assert.Equal("Ping Referrers Manifest", bench.TakeRequests());
        bench.Restart();
        await bench.Client.ListReferrersAsync(bench.Bench.Reference, bench.Bench.Blob.Digest, null, CancellationToken.None);
        Assert.Equal("Manifest", bench.TakeRequests());
        bench.Bench.Clock.Advance(TimeSpan.FromHours(2));
        await bench.Client.ListReferrersAsync(bench.Bench.Reference, bench.Bench.Blob.Digest, null, CancellationToken.None);
        Assert.Equal("Referrers Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task Without_a_folder_everything_is_forgotten_with_the_client()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.TakeRequests();
        using var second = new RegistryClient(bench.Options, bench.Log);
        await bench.ReadAsync(0, 1, second.OpenBlob(bench.Reference, bench.Blob));
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
    }
}
