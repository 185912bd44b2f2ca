using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Who refers to a manifest: by the registry's own list, or by the list that clients keep under a tag.
public sealed class ReferrersTests
{
    private const string Type = "application/vnd.example.index.v1";

    [Fact]
    public async Task A_pushed_referrer_is_listed_by_the_registry_at_no_further_request()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        var (subject, entry) = await PushAsync(bench, "one");
        bench.TakeRequests();
        var listed = await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, Type, CancellationToken.None);
        Assert.Equal(entry.Digest, Assert.Single(listed).Digest);
        Assert.Equal(Type, listed[0].ArtifactType);
        Assert.Equal("one", listed[0].Annotations!["name"]);
        Assert.DoesNotContain("Manifest", bench.TakeRequests(), StringComparison.Ordinal);
        Assert.DoesNotContain(ReferrersIndex.TagOf(subject.Digest), bench.Server.Content.Tags(Bench.Repository));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_are_followed_and_filtered_whoever_filters(bool registryFilters)
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { ReferrersPerPage = 2, FiltersReferrers = registryFilters });
        var subject = Subject(bench);
        for (var i = 0; i < 5; i++)
            await bench.Client.PushReferrerAsync(
                bench.Reference, MediaTypes.OciManifest, Artifact(bench, subject, $"{i}"), CancellationToken.None);
        await bench.Client.PushReferrerAsync(
            bench.Reference, MediaTypes.OciManifest, Artifact(bench, subject, "other", "other/type"), CancellationToken.None);
        bench.TakeRequests();
        Assert.Equal(6, (await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None)).Count);
        Assert.Equal("Referrers Referrers Referrers", bench.TakeRequests());
        Assert.Equal(5, (await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, Type, CancellationToken.None)).Count);
        Assert.Equal("other", Assert.Single(await bench.Client.ListReferrersAsync(
            bench.Reference, subject.Digest, "other/type", CancellationToken.None)).Annotations!["name"]);
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, Digest.OfSha256("nobody"u8), null, CancellationToken.None));
    }

    [Fact]
    public async Task Without_the_API_the_list_is_kept_under_the_tag_and_the_host_is_asked_for_the_API_once()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        var (subject, first) = await PushAsync(bench, "one");
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Referrers));
        var second = await bench.Client.PushReferrerAsync(
            bench.Reference, MediaTypes.OciManifest, Artifact(bench, subject, "two"), CancellationToken.None);
        bench.TakeRequests();
        var listed = await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, Type, CancellationToken.None);
        Assert.Equal([first.Digest, second.Digest], listed.Select(d => d.Digest));
        Assert.Equal("two", listed[1].Annotations!["name"]);
        Assert.Equal("Manifest", bench.TakeRequests());

        Assert.True(await bench.Client.DeleteReferrerAsync(bench.Reference, subject.Digest, first.Digest, CancellationToken.None));
        Assert.Null(bench.Server.Content.ManifestBytes(Bench.Repository, first.Digest.ToString()));
        Assert.Equal(second.Digest, Assert.Single(
            await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None)).Digest);
        Assert.True(await bench.Client.DeleteReferrerAsync(bench.Reference, subject.Digest, second.Digest, CancellationToken.None));
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None));
        Assert.False(await bench.Client.DeleteReferrerAsync(bench.Reference, subject.Digest, second.Digest, CancellationToken.None));
    }

    [Fact]
    public async Task That_the_API_is_missing_is_not_believed_for_ever()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None);
        await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None);
        Assert.Equal(1, bench.Server.Count(TestRequestKind.Referrers));
        bench.Clock.Advance(TimeSpan.FromHours(2));
        await bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None);
        Assert.Equal(2, bench.Server.Count(TestRequestKind.Referrers));
    }

    [Fact]
    public async Task A_repository_that_does_not_exist_says_nothing_about_the_API()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(
            404, TestRequestKind.Referrers, times: 1, body: """{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"""));
        Assert.Empty(
            await bench.Client.ListReferrersAsync(bench.Server.Reference("not/there"), bench.Blob.Digest, null, CancellationToken.None));
        var (subject, _) = await PushAsync(bench, "one");
        Assert.Single(await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None));
        Assert.Equal(2, bench.Server.Count(TestRequestKind.Referrers));
    }

    [Theory]
    [InlineData(405)]
    [InlineData(400)]
    [InlineData(501)]
    [InlineData(403)]
    public async Task Other_ways_to_say_no_such_API_are_understood(int status)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        bench.Server.Faults.Add(Fault.Status(status, TestRequestKind.Referrers));
        var (subject, entry) = await PushAsync(bench, "one");
        Assert.Equal(entry.Digest, Assert.Single(
            await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None)).Digest);
    }

    [Fact]
    public async Task A_page_for_people_is_no_list_of_referrers()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        bench.Server.Faults.Add(Fault.HtmlPage(200, TestRequestKind.Referrers));
        var (subject, entry) = await PushAsync(bench, "one");
        Assert.Equal(entry.Digest, Assert.Single(
            await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None)).Digest);
    }

    [Fact]
    public async Task A_registry_in_trouble_is_not_taken_for_one_without_referrers()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RetryLimit = 1 });
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Referrers));
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None));
        Assert.Equal(RegistryFailure.Unavailable, error.Failure);
        Assert.Contains(bench.Blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Many_at_once_lose_no_entry(bool oneClient)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        using var other = new RegistryClient(bench.Options, bench.Log);
        var subject = Subject(bench);
        var entries = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => (oneClient || i % 2 == 0 ? bench.Client : other).PushReferrerAsync(
            bench.Reference, MediaTypes.OciManifest, Artifact(bench, subject, $"{i}"), CancellationToken.None)));
        var listed = await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None);
        Assert.Equal(entries.Select(e => e.Digest).Order(), listed.Select(d => d.Digest).Order());
    }

    [Fact]
    public async Task A_registry_that_refuses_every_precondition_is_written_to_without_one()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false, Preconditions = false });
        bench.Server.Faults.Add(Fault.Status(412, TestRequestKind.Manifest, times: 1)
            with { When = r => r.Method == "PUT" && r.Path.Contains("sha256-", StringComparison.Ordinal) });
        var (subject, _) = await PushAsync(bench, "one");
        Assert.Single(await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None));
    }

    [Fact]
    public async Task Where_nothing_is_deleted_an_empty_list_stays_and_the_artifact_is_listed_no_more()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false, Deletes = false });
        var (subject, entry) = await PushAsync(bench, "one");
        Assert.True(await bench.Client.DeleteReferrerAsync(bench.Reference, subject.Digest, entry.Digest, CancellationToken.None));
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None));
        Assert.Equal(
            """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""",
            Encoding.UTF8.GetString(bench.Server.Content.ManifestBytes(Bench.Repository, ReferrersIndex.TagOf(subject.Digest))!));
    }

    [Fact]
    public async Task Something_else_under_the_tag_is_no_list_to_read_and_is_not_overwritten()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        var subject = Subject(bench);
        var tag = ReferrersIndex.TagOf(subject.Digest);
        var image = bench.Server.Content.AddImage(Bench.Repository, tag, [bench.Blob]);
        Assert.Empty(await bench.Client.ListReferrersAsync(bench.Reference, subject.Digest, null, CancellationToken.None));
        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => bench.Client.AddReferrerAsync(bench.Reference, subject.Digest, bench.Blob, CancellationToken.None));
        Assert.Contains(tag, error.Message, StringComparison.Ordinal);
        Assert.Equal(image.Digest, Digest.OfSha256(bench.Server.Content.ManifestBytes(Bench.Repository, tag)!));
    }

    [Fact]
    public async Task An_endless_list_ends_in_an_error()
    {
        await using var bench = await Bench.StartAsync();
        var page = 0;
        bench.Server.Faults.Add(new Fault
        {
            Kind = TestRequestKind.Referrers,
            When = r => page++ >= 0,
            StatusCode = 200,
            ContentType = MediaTypes.OciIndex,
            Body = """{"schemaVersion":2,"manifests":[]}""",
            Headers = new Dictionary<string, string> { ["Link"] = $"</v2/x/referrers/{bench.Blob.Digest}?page=2>; rel=\"next\"" },
        });
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.ListReferrersAsync(bench.Reference, bench.Blob.Digest, null, CancellationToken.None));
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains("same page", error.Message, StringComparison.Ordinal);
    }

    private static Descriptor Subject(Bench bench) =>
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob]) with { Platform = null };

    private static byte[] Artifact(Bench bench, Descriptor subject, string name, string type = Type)
    {
        bench.Server.Content.AddBlob(Bench.Repository, "{}"u8.ToArray());
        return OciJson.WriteManifest(new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            ArtifactType = type,
            Config = Descriptor.EmptyJson,
            Layers = [],
            Subject = subject,
            Annotations = new Dictionary<string, string> { ["name"] = name },
        });
    }

    private static async Task<(Descriptor Subject, Descriptor Entry)> PushAsync(Bench bench, string name)
    {
        var subject = Subject(bench);
        return (subject, await bench.Client.PushReferrerAsync(
            bench.Reference, MediaTypes.OciManifest, Artifact(bench, subject, name), CancellationToken.None));
    }
}
