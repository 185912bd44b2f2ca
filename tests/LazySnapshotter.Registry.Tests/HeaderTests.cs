using System.Globalization;
using System.Security.Cryptography;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// What registries and the proxies before them write into headers of manifests, lists and redirects, and what comes of it.
public sealed class HeaderTests
{
    private static readonly Platform Amd64 = new() { Os = "linux", Architecture = "amd64" };

    [Theory]
    [InlineData("")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [InlineData("sha256:short")]
    [InlineData("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"")]
    [InlineData("nonsense")]
    public async Task A_digest_header_that_holds_no_digest_leaves_it_to_the_bytes(string header)
    {
        await using var bench = await Bench.StartAsync();
        var manifest = AddImage(bench);
        bench.Server.Faults.Add(Manifests().With("Docker-Content-Digest", header));
        Assert.Equal(manifest.Digest, (await ResolveAsync(bench)).Root.Descriptor.Digest);
        Assert.Equal(manifest, await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));

        // The second time it has not changed (304).
        Assert.Equal(manifest.Digest, (await ResolveAsync(bench)).Root.Descriptor.Digest);
        Assert.Equal("Ping Manifest Manifest Manifest Manifest", bench.TakeRequests());
        Assert.DoesNotContain(bench.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_digest_header_of_another_algorithm_is_compared_and_the_document_named_as_containerd_stores_it()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = AddImage(bench);
        var content = bench.Server.Content.ManifestBytes(Bench.Repository, manifest.Digest.ToString())!;
        bench.Server.Faults.Add(Manifests().With("Docker-Content-Digest", "sha512:" + Convert.ToHexStringLower(SHA512.HashData(content))));
        for (var i = 0; i < 2; i++)
            Assert.Equal(manifest.Digest, (await ResolveAsync(bench)).Root.Descriptor.Digest);
        Assert.Equal(2, bench.Server.Count(TestRequestKind.Manifest));
        Assert.Equal(manifest, await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));

        bench.Server.Faults.Clear();
        bench.Server.Faults.Add(Manifests().With("Docker-Content-Digest", "sha512:" + new string('a', 128)));
        bench.Server.Content.AddImage(Bench.Repository, "other", [], platform: Amd64);
        var error = await Assert.ThrowsAsync<RegistryException>(() => ResolveAsync(bench, bench.Reference with { Tag = "other" }));
        Assert.Contains("have the digest sha256:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true)]
    public async Task A_digest_header_that_the_bytes_contradict_is_refused_for_a_tag_and_nothing_for_a_digest(string header, bool byDigest)
    {
        await using var bench = await Bench.StartAsync();
        var manifest = AddImage(bench);
        bench.Server.Faults.Add(Manifests().With("Docker-Content-Digest", header));
        if (byDigest)
        {
            var resolved = await ResolveAsync(bench, bench.Reference with { Digest = manifest.Digest });
            Assert.Equal(manifest.Digest, resolved.Root.Descriptor.Digest);
            return;
        }

        var error = await Assert.ThrowsAsync<RegistryException>(() => ResolveAsync(bench));
        Assert.Contains($"have the digest {manifest.Digest}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(405)]
    [InlineData(403)]
    [InlineData(400)]
    [InlineData(501)]
    public async Task A_HEAD_that_is_refused_is_followed_by_a_GET(int status)
    {
        await using var bench = await Bench.StartAsync();
        var manifest = AddImage(bench);
        bench.Server.Faults.Add(Fault.Status(status) with { When = request => request.Method == "HEAD" });
        Assert.Equal(manifest, await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));
        var push = await bench.Client.PushBlobAsync(bench.Reference, BlobContent.OfBytes(new byte[10]), null, null, CancellationToken.None);
        Assert.Equal(BlobPush.Uploaded, push);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/vnd.oci.image.manifest.v1+json;charset=UTF-8")]
    [InlineData("nonsense")]
    [InlineData("")]
    public async Task A_manifest_is_known_by_its_own_words_where_its_Content_Type_says_nothing(string contentType)
    {
        await using var bench = await Bench.StartAsync();
        var manifest = AddImage(bench);
        bench.Server.Faults.Add(contentType.Length == 0
            ? Manifests() with { WithoutHeaders = ["Content-Type"] }
            : Manifests().With("Content-Type", contentType));
        var document = (await ResolveAsync(bench)).Root.Descriptor;
        Assert.Equal((manifest.Digest, manifest.MediaType), (document.Digest, document.MediaType));
        Assert.Equal(manifest, await bench.Client.FindManifestAsync(bench.Reference, CancellationToken.None));
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("//{1}{0}")]
    [InlineData("./{2}?moved=1")]
    [InlineData("http://{1}{0}")]
    [InlineData("HTTP://{1}{0}")]
    public async Task A_Location_may_be_relative_in_every_way(string location)
    {
        await using var bench = await Bench.StartAsync();
        var path = $"/v2/{Bench.Repository}/blobs/{bench.Blob.Digest}";
        var target = string.Format(CultureInfo.InvariantCulture, location, path + "?moved=1", bench.Server.Host, bench.Blob.Digest);
        bench.Server.Faults.Add(Fault.Redirect(target, TestRequestKind.Blob) with { When = request => request.Query.Length == 0 });
        await bench.AssertReadsAsync(1000, 500);
        Assert.Equal("Ping Blob Blob", bench.TakeRequests());
    }

    [Theory]
    [InlineData("<{0}?last=b&n=2>; rel=\"next\"")]
    [InlineData("<{0}?last=b&n=2>;rel=next")]
    [InlineData("<{0}?last=b&n=2> ; REL = \"prev Next\"")]
    [InlineData("<http://{1}{0}?last=b&n=2>; title=\"a, b\"; rel=\"next\"")]
    [InlineData("<?last=b&n=2>; rel=\"next\"")]
    [InlineData("<list?last=b&n=2>; rel=\"next\"")]
    [InlineData("</v2/>; rel=\"first\", <//{1}{0}?last=b&n=2>; rel=\"next\"")]
    public async Task A_Link_to_the_next_page_is_read_in_every_form(string link)
    {
        await using var bench = await Bench.StartAsync();
        var path = $"/v2/{Bench.Repository}/tags/list";
        var header = string.Format(CultureInfo.InvariantCulture, link, path, bench.Server.Host);
        bench.Server.Faults.Add(Tags("""{"tags":["a","b"]}""").With("Link", header) with { When = request => request.Query.Length == 0 });
        bench.Server.Faults.Add(Tags("""{"tags":["c"]}""") with { When = request => request.Query == "?last=b&n=2" });
        Assert.Equal(["a", "b", "c"], await bench.Client.ListTagsAsync(bench.Reference, CancellationToken.None));
    }

    [Fact]
    public async Task A_Link_in_plain_http_by_a_registry_behind_a_proxy_that_ends_TLS_is_meant_with_https()
    {
        await using var bench = await Bench.StartAsync(
            new TestRegistryOptions { Tls = true }, Bench.Impatient with { PlainHttp = _ => false });
        var next = $"<http://{bench.Server.Host}/v2/{Bench.Repository}/tags/list?last=a>; rel=\"next\"";
        bench.Server.Faults.Add(Tags("""{"tags":["a"]}""").With("Link", next) with { When = request => request.Query.Length == 0 });
        bench.Server.Faults.Add(Tags("""{"tags":["b"]}""") with { When = request => request.Query.Length > 0 });
        Assert.Equal(["a", "b"], await bench.Client.ListTagsAsync(bench.Reference, CancellationToken.None));
    }

    // The credentials of this host go along.
    [Fact]
    public void A_path_that_begins_like_a_host_leads_to_no_other_host()
    {
        var hop = new HopRequest(new Uri("https://registry.example/v2/x/tags/list"), RequestSubject.Tags("x"));
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Link", "<https://registry.example//other.example/v2/>; rel=\"next\"");
        response.Headers.TryAddWithoutValidation("Location", "http://registry.example//other.example/v2/");
        Assert.Equal("https://registry.example//other.example/v2/", PageLinks.Next(response.Headers, hop)!.AbsoluteUri);
        Assert.Equal("https://registry.example//other.example/v2/", RedirectPolicy.UploadPlace(hop, response).AbsoluteUri);
    }

    private static Fault Tags(string body) => Fault.Status(200, TestRequestKind.Tags, body: body) with { ContentType = "application/json" };

    private static Fault Manifests() => new() { Kind = TestRequestKind.Manifest };

    private static Descriptor AddImage(Bench bench) =>
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64) with { Platform = null };

    private static Task<ResolvedManifest> ResolveAsync(Bench bench, ImageReference? reference = null) =>
        bench.Client.ResolveAsync(reference ?? bench.Reference, Amd64, CancellationToken.None);
}
