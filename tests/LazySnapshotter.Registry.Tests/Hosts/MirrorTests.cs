using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Hosts;

// A registry with a mirror in front: who is asked for what, in which order, how often, and what a mirror's trouble costs.
public sealed class MirrorTests
{
    private const string Tag = "latest";

    public static TheoryData<string, Fault> MirrorTroubles => new()
    {
        { "404", Fault.Status(404, TestRequestKind.Blob) },
        { "401 whatever is shown", Fault.Status(401, TestRequestKind.Blob) },
        { "403", Fault.Status(403, TestRequestKind.Blob) },
        { "410", Fault.Status(410, TestRequestKind.Blob) },
        { "416", Fault.Status(416, TestRequestKind.Blob) },
        { "429", Fault.Status(429, TestRequestKind.Blob) },
        { "429 for an hour",
            Fault.Status(429, TestRequestKind.Blob) with { Headers = new Dictionary<string, string> { ["Retry-After"] = "3600" } } },
        { "500", Fault.Status(500, TestRequestKind.Blob) },
        { "503", Fault.Status(503, TestRequestKind.Blob) },
        { "reset", new Fault { Kind = TestRequestKind.Blob, ResetBeforeAnswer = true } },
        { "redirect loop", new Fault { Kind = TestRequestKind.Blob, RedirectLoop = true } },
    };

    [Fact]
    public async Task A_mirror_is_asked_first_and_told_which_registry_is_meant()
    {
        await using var bench = await MirrorBench.StartAsync();
        await bench.AssertReadsAsync(100, 5000);
        Assert.All(bench.Mirror.Requests, r => Assert.Equal($"?ns={Uri.EscapeDataString(bench.Upstream.Host)}", r.Query));
        Assert.Equal("mirror: Ping Blob; upstream: ", bench.TakeRequests());
        await bench.AssertReadsAsync(7000, 5000);
        Assert.Equal("mirror: Blob; upstream: ", bench.TakeRequests());
    }

    [Theory]
    [MemberData(nameof(MirrorTroubles))]
    public async Task Whatever_a_mirror_does_wrong_the_next_host_is_asked_at_once_and_remembered(string what, Fault fault)
    {
        await using var bench = await MirrorBench.StartAsync(
            client: Bench.Impatient with { RetryDelay = TimeSpan.FromHours(1), RetryDelayMax = TimeSpan.FromHours(1) });
        bench.Mirror.Faults.Add(fault);
        await bench.AssertReadsAsync(1000, 100);
        // What may be about the range is asked for without one, too.
        var requests = what switch
        {
            "redirect loop" => RegistryLimits.RedirectsMax + 1,
            "403" or "416" => 2,
            _ => 1,
        };
        Assert.Equal(requests, bench.Mirror.Count(TestRequestKind.Blob));
        Assert.Equal(1, bench.Upstream.Count(TestRequestKind.Blob));
        Assert.All(bench.Upstream.Requests, r => Assert.Equal("", r.Query));
        bench.TakeRequests();

        // Now it is known who has the blob.
        await bench.AssertReadsAsync(2000, 100);
        Assert.Equal("mirror: ; upstream: Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(503)]
    public async Task A_mirror_is_not_passed_over_for_its_ping(int status)
    {
        await using var bench = await MirrorBench.StartAsync(
            client: Bench.Impatient with { RetryDelay = TimeSpan.FromHours(1), RetryDelayMax = TimeSpan.FromHours(1) });
        bench.Mirror.Faults.Add(Fault.Status(status, TestRequestKind.Ping));
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task A_mirror_that_is_not_there_costs_one_attempt()
    {
        await using var bench = await MirrorBench.StartAsync("[host.\"http://127.0.0.1:1\"]\n[host.\"http://{0}\"]\n");
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: ", bench.TakeRequests());
        Assert.Equal(1, bench.Client.Statistics.Failures);
    }

    [Fact]
    public async Task A_mirror_in_backoff_is_asked_after_the_others_and_comes_back_when_its_time_has_come()
    {
        await using var bench = await MirrorBench.StartAsync(client: Bench.Impatient with { RetryDelayMax = TimeSpan.FromMinutes(1) });
        AddImage(bench);
        bench.Mirror.Faults.Add(Fault.Status(
            503, TestRequestKind.Blob, times: 1) with { Headers = new Dictionary<string, string> { ["Retry-After"] = "100" } });
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: Ping Blob", bench.TakeRequests());
        await ResolveAsync(bench);
        Assert.Equal("mirror: ; upstream: Manifest", bench.TakeRequests());

        bench.Clock.Advance(TimeSpan.FromMinutes(15));
        await bench.AssertReadsAsync(5000, 100);
        Assert.Equal("mirror: Blob; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task Nobody_waits_for_a_mirror_that_is_left_alone_while_the_registry_can_be_asked_again()
    {
        await using var bench = await MirrorBench.StartAsync();
        bench.Mirror.Faults.Add(Fault.Status(
            503, TestRequestKind.Blob, times: 1) with { Headers = new Dictionary<string, string> { ["Retry-After"] = "100" } });
        bench.Upstream.Faults.Add(Fault.Status(503, TestRequestKind.Blob, times: 2));
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob; upstream: Ping Blob Blob Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_read_of_a_place_that_is_remembered_elsewhere_does_not_need_the_mirror()
    {
        await using var bench = await MirrorBench.StartAsync(mirror: new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Blob Cdn; upstream: ", bench.TakeRequests());
        bench.Mirror.Faults.Add(Fault.Status(503, TestRequestKind.Ping));
        bench.Mirror.Faults.Add(Fault.Status(503, TestRequestKind.Blob));
        await bench.AssertReadsAsync(1000, 100);
        Assert.Equal("mirror: Cdn; upstream: ", bench.TakeRequests());

        // And when the place is gone too, the registry itself has it.
        bench.Mirror.Faults.Add(Fault.Status(403, TestRequestKind.Cdn));
        await bench.AssertReadsAsync(2000, 100);
        Assert.Equal("mirror: Cdn Blob; upstream: Ping Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task All_hosts_are_tried_before_any_is_tried_again_and_the_error_says_what_each_said()
    {
        await using var bench = await MirrorBench.StartAsync(client: Bench.Impatient with { RetryLimit = 2 });
        bench.Mirror.Faults.Add(Fault.Status(502, TestRequestKind.Blob));
        bench.Upstream.Faults.Add(Fault.Status(503, TestRequestKind.Blob));
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(0, 100));
        Assert.Equal(3, bench.Mirror.Count(TestRequestKind.Blob));
        Assert.Equal(3, bench.Upstream.Count(TestRequestKind.Blob));
        Assert.Equal((RegistryFailure.Unavailable, bench.Upstream.Host, HttpStatusCode.ServiceUnavailable),
            (error.Failure, error.Host, error.StatusCode));
        Assert.Contains($"of the others: {bench.Mirror.Host}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("502", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wrong range", "Content-Range", "bytes 5-104/200000", "mirror: Ping Blob Blob; upstream: ")]
    [InlineData("another size", "Content-Range", "bytes 1000-1099/999", "mirror: Ping Blob Blob; upstream: ")]
    [InlineData("said to be compressed", "Content-Encoding", "gzip", "mirror: Ping Blob; upstream: ")]
    public async Task A_mirror_whose_ranges_are_of_no_use_serves_the_whole_blob(string what, string header, string value, string requests)
    {
        await using var bench = await MirrorBench.StartAsync();
        bench.Mirror.Faults.Add(new Fault { Kind = TestRequestKind.Blob }.With(header, value));
        await bench.AssertReadsAsync(1000, 100);
        Assert.True(requests == bench.TakeRequests(), what);
    }

    [Fact]
    public async Task What_the_registry_itself_does_not_have_is_not_asked_for_again()
    {
        await using var bench = await MirrorBench.StartAsync();
        bench.Mirror.Faults.Add(Fault.Status(503, TestRequestKind.Blob));
        bench.Upstream.Faults.Add(Fault.Status(404, TestRequestKind.Blob));
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.AssertReadsAsync(0, 100));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal("mirror: Ping Blob; upstream: Ping Blob", bench.TakeRequests());
    }

    [Fact]
    public async Task A_mirror_that_may_not_resolve_is_asked_by_digest_alone()
    {
        await using var bench = await MirrorBench.StartAsync("[host.\"http://{0}\"]\ncapabilities = [\"pull\"]\n");
        var image = AddImage(bench);
        await bench.Client.GetManifestAsync(bench.Reference with { Tag = null, Digest = image.Digest }, CancellationToken.None);
        Assert.Equal("mirror: Ping Manifest; upstream: ", bench.TakeRequests());
        await ResolveAsync(bench);
        Assert.Equal("mirror: ; upstream: Ping Manifest", bench.TakeRequests());
        Assert.NotNull(
            await bench.Client.FindManifestAsync(bench.Reference with { Tag = null, Digest = image.Digest }, CancellationToken.None));
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));
        Assert.Equal("mirror: Manifest; upstream: Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_mirror_whose_manifest_is_not_what_its_digest_says_is_passed_over()
    {
        await using var bench = await MirrorBench.StartAsync();
        var image = AddImage(bench);
        bench.Mirror.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, CorruptAt = 30 });
        var document = await bench.Client.GetManifestAsync(
            bench.Reference with { Tag = null, Digest = image.Digest }, CancellationToken.None);
        Assert.Equal(image.Digest, document.Descriptor.Digest);
        Assert.Equal("mirror: Ping Manifest; upstream: Ping Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_tag_the_mirror_does_not_know_is_looked_for_at_the_registry()
    {
        await using var bench = await MirrorBench.StartAsync();
        bench.Upstream.Content.AddImage(MirrorBench.Repository, Tag, [bench.Blob]);
        await ResolveAsync(bench);
        Assert.Equal("mirror: Ping Manifest; upstream: Ping Manifest", bench.TakeRequests());
        Assert.NotNull(await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));
        Assert.Null(await bench.Client.FindManifestAsync(bench.Reference with { Tag = "none" }, CancellationToken.None));
        Assert.Equal("mirror: Manifest Manifest; upstream: Manifest Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task Nothing_is_pushed_or_deleted_at_a_mirror_that_may_not_be_pushed_to()
    {
        await using var bench = await MirrorBench.StartAsync(
            "[host.\"http://{0}\"]\ncapabilities = [\"pull\", \"resolve\", \"referrers\"]\n");
        var content = new byte[1000];
        var blob = BlobContent.OfBytes(content);
        Assert.Equal(BlobPush.Uploaded, await bench.Client.PushBlobAsync(bench.Reference, blob, null, null, CancellationToken.None));
        var image = AddImage(bench);
        var manifest = await bench.Client.GetManifestAsync(bench.Reference, CancellationToken.None);
        bench.TakeRequests();
        await bench.Client.PutManifestAsync(bench.Reference, "again", MediaTypes.OciManifest, manifest.Content, CancellationToken.None);
        Assert.True(await bench.Client.DeleteManifestAsync(bench.Reference, image.Digest, CancellationToken.None));
        Assert.Equal("mirror: ; upstream: Manifest Manifest", bench.TakeRequests());
    }

    [Fact]
    public async Task A_mirror_that_may_be_pushed_to_is_the_only_place_that_is()
    {
        await using var bench = await MirrorBench.StartAsync("[host.\"http://{0}\"]\n");
        Assert.Equal(BlobPush.Uploaded, await bench.Client.PushBlobAsync(
            bench.Reference, BlobContent.OfBytes(new byte[1000]), null, null, CancellationToken.None));
        Assert.Equal("mirror: Ping Blob Upload Upload; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task Where_nobody_may_do_what_is_asked_the_error_says_so_and_nothing_is_sent()
    {
        await using var bench = await MirrorBench.StartAsync(
            "server = \"http://{1}\"\ncapabilities = [\"pull\"]\n[host.\"http://{0}\"]\ncapabilities = [\"pull\"]\n");
        var error = await Assert.ThrowsAsync<RegistryException>(() => ResolveAsync(bench));
        Assert.Equal(RegistryFailure.Misconfigured, error.Failure);
        Assert.Contains("none of its configured hosts has the capability \"resolve\"", error.Message, StringComparison.Ordinal);
        Assert.Equal("mirror: ; upstream: ", bench.TakeRequests());
    }

    [Fact]
    public async Task Referrers_come_from_who_may_list_them_and_from_the_registry_where_a_mirror_has_no_such_api()
    {
        await using var bench = await MirrorBench.StartAsync(
            "[host.\"http://{0}\"]\n", mirror: new TestRegistryOptions { ReferrersApi = false });
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None));
        Assert.Equal("mirror: Ping Referrers; upstream: Ping Referrers", bench.TakeRequests());
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None));
        Assert.Equal("mirror: ; upstream: Referrers", bench.TakeRequests());

        bench.WriteHosts("[host.\"http://{0}\"]\ncapabilities = [\"pull\", \"resolve\"]\n");
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None));
        Assert.Equal("mirror: ; upstream: Referrers", bench.TakeRequests());
    }

    [Fact]
    public async Task The_pages_of_one_list_come_from_one_host()
    {
        await using var bench = await MirrorBench.StartAsync(mirror: new TestRegistryOptions { TagsPerPage = 1 });
        foreach (var tag in (string[])["a", "b", "c"])
            bench.Mirror.Content.AddImage(MirrorBench.Repository, tag, [bench.Blob]);
        Assert.Equal(["a", "b", "c"], await bench.Client.ListTagsAsync(bench.Reference, CancellationToken.None));
        Assert.All(bench.Mirror.Requests, r =>
            Assert.Contains($"ns={Uri.EscapeDataString(bench.Upstream.Host)}", r.Query, StringComparison.Ordinal));

        // The second page fails: the list is read from the registry, from its beginning.
        bench.Upstream.Content.AddImage(MirrorBench.Repository, "of the registry", [bench.Blob]);
        bench.Mirror.Faults.Add(Fault.Status(404, TestRequestKind.Tags) with { After = 1 });
        Assert.Equal(["of the registry"], await bench.Client.ListTagsAsync(bench.Reference, CancellationToken.None));
    }

    [Fact]
    public async Task The_path_of_a_url_comes_before_v2_or_replaces_it()
    {
        await using var bench = await MirrorBench.StartAsync("[host.\"http://{0}/us\"]\n");
        bench.Mirror.Content.AddBlob("us/v2/" + MirrorBench.Repository, bench.Content);
        await bench.AssertReadsAsync(0, 100);
        Assert.Contains(bench.Mirror.Requests, r => r.Path.StartsWith("/us/v2/library/python/blobs/", StringComparison.Ordinal));

        bench.WriteHosts("[host.\"http://{0}/v2/proxied\"]\noverride_path = true\n");
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        bench.TakeRequests();
        bench.Mirror.Content.AddBlob("proxied/" + MirrorBench.Repository, bench.Content);
        bench.Mirror.Faults.Add(Fault.Status(404, TestRequestKind.Other));
        await bench.AssertReadsAsync(0, 100);
        Assert.Contains(bench.Mirror.Requests, r => r.Path.StartsWith("/v2/proxied/library/python/blobs/", StringComparison.Ordinal));
        Assert.Equal(0, bench.Upstream.Count(TestRequestKind.Blob));
    }

    [Fact]
    public async Task Each_host_is_shown_its_own_credentials_and_its_own_headers()
    {
        var login = new TestRegistryOptions { Auth = TestAuthMode.Bearer, Username = "me", Password = "password of the mirror" };
        await using var bench = await MirrorBench.StartAsync(
            "[host.\"http://{0}\"]\n[host.\"http://{0}\".header]\nX-Team = \"blue\"\nX-Many = [\"one\", \"two\"]\n",
            mirror: login, upstream: login with { Password = "password of the registry" });
        File.WriteAllText(bench.Options.DockerConfigPath!, $$$$"""
            {"auths":{"{{{{bench.Mirror.Host}}}}":{"username":"me","password":"password of the mirror"},"{{{{bench.Upstream.Host}}}}":{"username":"me","password":"password of the registry"}}}
            """);
        bench.Mirror.Faults.Add(Fault.Status(404, TestRequestKind.Blob));
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("mirror: Ping Token Blob; upstream: Ping Token Blob", Kinds(bench));
        Assert.All(bench.Mirror.Requests.Where(r => r.Kind != TestRequestKind.Token), r =>
        {
            Assert.Equal("blue", r.Headers["X-Team"]);
            Assert.Equal("one,two", r.Headers["X-Many"].Replace(", ", ",", StringComparison.Ordinal));
        });
        Assert.All(bench.Upstream.Requests.Concat(bench.Mirror.Requests.Where(r => r.Kind == TestRequestKind.Token)), r =>
            Assert.DoesNotContain("X-Team", r.Headers.Keys));
        Assert.DoesNotContain("password of", bench.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mirror_that_is_configured_no_longer_serves_no_longer()
    {
        await using var bench = await MirrorBench.StartAsync(mirror: new TestRegistryOptions { RedirectBlobs = true });
        await bench.AssertReadsAsync(0, 100);
        await bench.AssertReadsAsync(100, 100);
        Assert.Equal("mirror: Ping Blob Cdn Cdn; upstream: ", bench.TakeRequests());
        bench.WriteHosts("");
        bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await bench.AssertReadsAsync(200, 100);
        Assert.Equal("mirror: ; upstream: Ping Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_host_with_http_and_settings_for_https_is_spoken_to_in_what_it_speaks(bool tls)
    {
        var login = new TestRegistryOptions { Tls = tls, Auth = TestAuthMode.Basic, Username = "me", Password = "pass-word" };
        await using var bench = await MirrorBench.StartAsync(
            "[host.\"http://{0}\"]\nskip_verify = true\nheader = { x-key = \"key\" }\n", mirror: login);
        File.WriteAllText(
            bench.Options.DockerConfigPath!, $$$$"""{"auths":{"{{{{bench.Mirror.Host}}}}":{"username":"me","password":"pass-word"}}}""");
        await bench.AssertReadsAsync(0, 100);
        Assert.Equal("Ping Blob", string.Join(' ', bench.Mirror.Requests.Select(r => r.Kind)));
        Assert.All(bench.Mirror.Requests, r => Assert.Equal("key", r.Headers["x-key"]));
        Assert.Empty(bench.Upstream.Requests);
        Assert.DoesNotContain("which nobody configured", bench.Log.Text, StringComparison.Ordinal);
    }

    private static string Kinds(MirrorBench bench) =>
        $"mirror: {string.Join(' ', bench.Mirror.Requests.Select(r => r.Kind))}; " +
            $"upstream: {string.Join(' ', bench.Upstream.Requests.Select(r => r.Kind))}";

    private static Descriptor AddImage(MirrorBench bench)
    {
        bench.Mirror.Content.AddImage(MirrorBench.Repository, Tag, [bench.Blob]);
        return bench.Upstream.Content.AddImage(MirrorBench.Repository, Tag, [bench.Blob]);
    }

    private static Task<ImageDocument> ResolveAsync(MirrorBench bench) =>
        bench.Client.GetManifestAsync(bench.Reference, CancellationToken.None);
}
