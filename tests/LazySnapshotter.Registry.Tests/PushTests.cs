using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Blobs and manifests on their way in: what is sent, what is not, and what happens when it goes wrong.
public sealed class PushTests
{
    private const string Target = "team/copy";
    private static readonly TestRegistryOptions Bearer = new() { Auth = TestAuthMode.Bearer };

    [Fact]
    public async Task A_blob_is_asked_for_then_sent_as_one_body()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        var content = Random(700_000);
        var progress = new Reports();
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, content, progress: progress));
        Assert.Equal("Ping Token Blob Upload Upload", bench.TakeRequests());
        Assert.Equal(content.ToArray(), bench.Server.Content.BlobBytes(Target, Digest.OfSha256(content.Span)));
        Assert.Equal(0, bench.Server.Uploads.OpenCount);
        Assert.Equal(content.Length, progress.Last);
        Assert.Equal(content.Length, bench.Client.Statistics.UploadedBytes);

        Assert.Equal(BlobPush.Present, await PushAsync(bench, content));
        Assert.Equal("Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((256 << 10) - 1)]
    [InlineData(256 << 10)]
    [InlineData((256 << 10) + 1)]
    public async Task Blobs_of_every_length_arrive(int length)
    {
        await using var bench = await Bench.StartAsync();
        var content = Random(length);
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, content));
        Assert.Equal(content.ToArray(), bench.Server.Content.BlobBytes(Target, Digest.OfSha256(content.Span)));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task The_session_may_be_named_in_any_way_and_elsewhere_sees_no_credentials(bool absolute, bool elsewhere)
    {
        await using var bench = await Bench.StartAsync(Bearer with { AbsoluteLocations = absolute, UploadsElsewhere = elsewhere });
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(10_000)));
        Assert.All(bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Cdn), r => Assert.Null(r.Authorization));
        Assert.Equal(elsewhere ? 1 : 0, bench.Server.Count(TestRequestKind.Cdn));
    }

    [Fact]
    public async Task A_401_at_a_session_elsewhere_gets_no_credentials_either()
    {
        await using var bench = await Bench.StartAsync(Bearer with { UploadsElsewhere = true });
        bench.Server.Faults.Add(Fault.Status(401, TestRequestKind.Cdn) with
        {
            Headers = new Dictionary<string,
                string> { ["WWW-Authenticate"] = $"Bearer realm=\"http://{bench.Server.TokenHost}/token\",scope=\"repository:x:pull\"" },
        });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PushAsync(bench, Random(1000)));
        Assert.Equal(RegistryFailure.Unauthorized, error.Failure);
        Assert.All(bench.Server.Requests.Where(r => r.Kind == TestRequestKind.Cdn), r => Assert.Null(r.Authorization));
    }

    [Fact]
    public async Task A_session_behind_TLS_is_never_continued_in_plain_http_on_another_host()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Tls = true }, Bench.Impatient with { PlainHttp = _ => false });
        bench.Server.Faults.Add(new Fault
        {
            Kind = TestRequestKind.Upload,
            Headers = new Dictionary<string, string> { ["Location"] = "http://elsewhere.example/upload" },
        });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PushAsync(bench, Random(1000)));
        Assert.Contains("from https to plain http at elsewhere.example", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_that_does_not_know_of_the_TLS_in_front_of_it_is_understood()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Tls = true }, Bench.Impatient with { PlainHttp = _ => false });
        var id = "";
        bench.Server.Faults.Add(new Fault
        {
            Kind = TestRequestKind.Upload,
            When = r => r.Method == "POST",
            Headers = new Dictionary<string,
            string> { ["Location"] = $"http://{bench.Server.Host}/v2/{Target}/blobs/uploads/{id}nowhere?_state=x" },
        });
        await Assert.ThrowsAsync<RegistryException>(() => PushAsync(bench, Random(1000)));
        Assert.Contains(
            bench.Server.Requests, r => r.Method == "PUT" && r.Query.StartsWith("?_state=x&digest=sha256%3A", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_push_that_breaks_off_is_repeated_from_the_start()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(
            new Fault { Kind = TestRequestKind.Upload, When = r => r.Method == "PUT", ResetUploadAt = 300_000, Times = 2 });
        var content = Random(3_000_000);
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, content));
        Assert.Equal(content.ToArray(), bench.Server.Content.BlobBytes(Target, Digest.OfSha256(content.Span)));
        Assert.Equal(3, bench.Server.Requests.Count(r => r.Method == "PUT"));
    }

    [Fact]
    public async Task A_host_that_takes_no_more_bytes_is_given_up_and_asked_again()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { StallTimeout = TimeSpan.FromMilliseconds(300) });
        bench.Server.Faults.Add(
            new Fault { Kind = TestRequestKind.Upload, When = r => r.Method == "PUT", StallUploadAt = 100_000, Times = 1 });
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(30_000_000)));
        Assert.Equal(2, bench.Server.Requests.Count(r => r.Method == "PUT"));
    }

    [Fact]
    public async Task An_answer_that_got_lost_does_not_send_the_blob_twice()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Upload, When = r => r.Method == "PUT", LoseAnswer = true });
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(300_000)));
        Assert.Equal(300_000, bench.Server.Requests.Sum(r => r.BytesReceived));
    }

    [Fact]
    public async Task A_session_the_registry_forgot_is_replaced()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(404, TestRequestKind.Upload, times: 1,
            body: """{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}""") with { When = r => r.Method == "PUT" });
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(1000)));
    }

    [Fact]
    public async Task A_refused_token_in_the_middle_is_renewed_and_the_body_sent_again()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Upload, When = r => Revoke(bench, r), Times = 0 });
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(100_000)));
        Assert.Equal(2, bench.Server.Requests.Count(r => r.Method == "PUT"));
        Assert.Equal(2, bench.Server.Count(TestRequestKind.Token));
    }

    [Fact]
    public async Task A_source_that_can_be_read_once_is_not_sent_again()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Upload, When = r => r.Method == "PUT", ResetUploadAt = 1000 });
        var bytes = Random(3_000_000);
        var opened = 0;
        var once = new BlobContent(Digest.OfSha256(bytes.Span), bytes.Length, _ =>
            Task.FromResult<Stream>(new MemoryStream(bytes.ToArray(), opened++, bytes.Length)), canReopen: false);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.PushBlobAsync(Reference(bench), once, null, null, CancellationToken.None));
        Assert.Equal(1, opened);
        Assert.Equal(RegistryFailure.Unreachable, error.Failure);
        Assert.Contains(once.Digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other content", "its source has other content")]
    [InlineData("short", "its source ends after")]
    [InlineData("long", "its source has more than")]
    public async Task A_source_that_is_not_what_was_announced_never_arrives(string lie, string message)
    {
        await using var bench = await Bench.StartAsync();
        var bytes = Random(600_000).ToArray();
        var digest = Digest.OfSha256(bytes);
        byte[] real = lie switch { "short" => bytes[..^1], "long" => [.. bytes, 1], _ => [.. bytes[..^1], (byte)~bytes[^1]] };
        var content = new BlobContent(digest, bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(real)));
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.PushBlobAsync(Reference(bench), content, null, null, CancellationToken.None));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(digest, error.Digest);
        Assert.Null(bench.Server.Content.BlobBytes(Target, digest));
        Assert.Equal(1, bench.Server.Requests.Count(r => r.Method == "PUT"));
        Assert.Equal(0, bench.Server.Uploads.OpenCount); // Cancelled.
    }

    [Fact]
    public async Task A_source_that_fails_is_named_not_the_target()
    {
        await using var bench = await Bench.StartAsync();
        await using var source = await TestRegistry.StartAsync();
        var bytes = Random(600_000);
        var there = source.Content.AddBlob("a/b", bytes.ToArray());
        source.Faults.Add(new Fault { Kind = TestRequestKind.Blob, ResetAt = 100_000, Times = 1 });
        source.Faults.Add(Fault.Status(404, TestRequestKind.Blob));
        var blob = BlobContent.OfRemote(bench.Client.OpenBlob(source.Reference("a/b"), there.Digest, there.Size));
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.PushBlobAsync(Reference(bench), blob, null, null, CancellationToken.None));
        Assert.Equal(source.Host, error.Host);
        Assert.Equal(1, bench.Server.Requests.Count(r => r.Method == "PUT"));
        Assert.Equal(0, bench.Server.Uploads.OpenCount);
    }

    [Fact]
    public async Task Anonymous_reading_does_not_keep_a_push_from_logging_in()
    {
        await using var bench = await Bench.StartAsync(Bearer with { OpenForReading = true, Username = "me", Password = "secret-word" });
        bench.WriteDockerConfig("me", "secret-word");
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(1000)));
        Assert.Equal(HttpStatusCode.OK, (HttpStatusCode)bench.Server.Requests.First().StatusCode);
    }

    [Fact]
    public async Task Basic_works_too()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Auth = TestAuthMode.Basic, Username = "me", Password = "secret-word" });
        bench.WriteDockerConfig("me", "secret-word");
        Assert.Equal(BlobPush.Uploaded, await PushAsync(bench, Random(1000)));
    }

    [Fact]
    public async Task A_blob_is_mounted_from_another_repository_of_the_registry()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        var content = BlobContent.OfBytes(bench.Content);
        Assert.Equal(
            BlobPush.Mounted, await bench.Client.PushBlobAsync(Reference(bench), content, bench.Reference, null, CancellationToken.None));
        Assert.Equal(bench.Content, bench.Server.Content.BlobBytes(Target, content.Digest));
        Assert.Equal(0, bench.Client.Statistics.UploadedBytes);
        Assert.Equal(0, bench.Server.Uploads.OpenCount);
    }

    [Fact]
    public async Task Where_nothing_is_mounted_the_session_opened_instead_is_used()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Mounts = false });
        var content = BlobContent.OfBytes(bench.Content);
        Assert.Equal(
            BlobPush.Uploaded, await bench.Client.PushBlobAsync(Reference(bench), content, bench.Reference, null, CancellationToken.None));
        Assert.Equal("Ping Blob Upload Upload", bench.TakeRequests());
    }

    [Fact]
    public async Task A_refused_mount_becomes_an_upload()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(405, TestRequestKind.Upload, times: 1));
        var content = BlobContent.OfBytes(bench.Content);
        Assert.Equal(
            BlobPush.Uploaded, await bench.Client.PushBlobAsync(Reference(bench), content, bench.Reference, null, CancellationToken.None));
    }

    [Fact]
    public async Task A_manifest_is_put_by_tag_and_by_digest_found_and_deleted()
    {
        await using var bench = await Bench.StartAsync(Bearer);
        var config = BlobContent.OfBytes("{}"u8.ToArray());
        await bench.Client.PushBlobAsync(Reference(bench), config, null, null, CancellationToken.None);
        var manifest = OciJson.WriteManifest(
            new ImageManifest { MediaType = MediaTypes.OciManifest, ArtifactType = "x/y", Config = Descriptor.EmptyJson, Layers = [] });

        var put = await bench.Client.PutManifestAsync(Reference(bench), null, MediaTypes.OciManifest, manifest, CancellationToken.None);
        Assert.False(put.SubjectListed);
        Assert.Null(await bench.Client.FindManifestAsync(Reference(bench) with { Tag = "v1" }, CancellationToken.None));
        await bench.Client.PutManifestAsync(Reference(bench), "v1", MediaTypes.OciManifest, manifest, CancellationToken.None);
        Assert.Equal(put.Descriptor, await bench.Client.FindManifestAsync(Reference(bench) with { Tag = "v1" }, CancellationToken.None));
        var read = OciJson.ReadManifest(
            (await bench.Client.GetManifestAsync(Reference(bench) with { Tag = "v1" }, CancellationToken.None)).Content, "it");
        Assert.Equal("x/y", read.ArtifactType);

        Assert.True(await bench.Client.DeleteManifestAsync(Reference(bench), put.Descriptor.Digest, CancellationToken.None));
        Assert.False(await bench.Client.DeleteManifestAsync(Reference(bench), put.Descriptor.Digest, CancellationToken.None));
        Assert.Null(await bench.Client.FindManifestAsync(Reference(bench) with { Tag = "v1" }, CancellationToken.None));
    }

    [Fact]
    public async Task A_manifest_without_its_blobs_is_refused_in_the_registrys_words()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = OciJson.WriteManifest(new ImageManifest { MediaType = MediaTypes.OciManifest, Config = bench.Blob, Layers = [] });
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.PutManifestAsync(Reference(bench), "v1", MediaTypes.OciManifest, manifest, CancellationToken.None));
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", error.ErrorCode);
        Assert.Contains(bench.Blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_that_takes_a_manifest_as_something_else_is_caught()
    {
        await using var bench = await Bench.StartAsync();
        var other = Digest.OfSha256("other"u8);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, Headers = new Dictionary<string,
            string> { ["Docker-Content-Digest"] = other.ToString() } });
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.Client.PutManifestAsync(
            bench.Reference, "v1", MediaTypes.OciIndex, OciJson.WriteIndex(
                new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = [] }), CancellationToken.None));
        Assert.Contains(other.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tags_come_in_pages_that_stay_on_the_host()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { TagsPerPage = 2 });
        Assert.Empty(await bench.Client.ListTagsAsync(Reference(bench), CancellationToken.None));
        string[] tags = ["a", "b", "c", "d", "e"];
        foreach (var tag in tags)
            bench.Server.Content.AddManifest(Target, tag, MediaTypes.OciIndex, "{}"u8.ToArray());
        bench.Server.ClearLog();
        Assert.Equal(tags, await bench.Client.ListTagsAsync(Reference(bench), CancellationToken.None));
        Assert.Equal("Tags Tags Tags", bench.TakeRequests());

        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Tags, Headers = new Dictionary<string,
            string> { ["Link"] = $"<http://{bench.Server.CdnHost}/v2/x/tags/list>; rel=\"next\"" } });
        var error = await Assert.ThrowsAsync<RegistryException>(() => bench.Client.ListTagsAsync(Reference(bench), CancellationToken.None));
        Assert.Contains("leads away", error.Message, StringComparison.Ordinal);
    }

    private static bool Revoke(Bench bench, TestRequest request)
    {
        if (request.Method == "PUT" && bench.Server.Requests.Count(r => r.Method == "PUT") == 1)
            bench.Server.Tokens.RevokeAll();
        return false;
    }

    private static ImageReference Reference(Bench bench) => bench.Server.Reference(Target);

    private static Task<BlobPush> PushAsync(Bench bench, ReadOnlyMemory<byte> content, IProgress<long>? progress = null) =>
        bench.Client.PushBlobAsync(Reference(bench), BlobContent.OfBytes(content), null, progress, CancellationToken.None);

    private static ReadOnlyMemory<byte> Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private sealed class Reports : IProgress<long>
    {
        public long Last { get; private set; }

        public void Report(long value) => Last = value;
    }
}
