using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// From a reference to the manifest of a platform, and what is refused on the way.
public sealed class ResolveTests
{
    private static readonly Platform Amd64 = new() { Os = "linux", Architecture = "amd64" };
    private static readonly Platform Arm64 = new() { Os = "linux", Architecture = "arm64" };

    [Fact]
    public async Task A_tag_leads_to_the_manifest_and_keeps_its_bytes()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        var resolved = await ResolveAsync(bench, bench.Reference);
        Assert.Equal(manifest.Digest, resolved.ManifestDocument.Descriptor.Digest);
        Assert.Equal(MediaTypes.OciManifest, resolved.Root.Descriptor.MediaType);
        Assert.True(manifest.Digest.IsDigestOf(resolved.Root.Content));
        Assert.Equal(manifest.Size, resolved.Root.Descriptor.Size);
        Assert.Equal(bench.Blob.Digest, Assert.Single(resolved.Manifest.Layers).Digest);
    }

    [Fact]
    public async Task An_index_leads_to_the_manifest_of_the_platform()
    {
        await using var bench = await Bench.StartAsync();
        var content = bench.Server.Content;
        var arm = content.AddImage(Bench.Repository, "arm", [bench.Blob], platform: Arm64);
        var amd = content.AddImage(Bench.Repository, "amd", [bench.Blob], platform: Amd64);
        var attestation = arm with { Platform = new Platform { Os = "unknown", Architecture = "unknown" } };
        var index = content.AddIndex(Bench.Repository, "latest", [attestation, arm, amd]);
        var resolved = await ResolveAsync(bench, bench.Reference);
        Assert.Equal([index.Digest, amd.Digest], resolved.Documents.Select(d => d.Descriptor.Digest));

        var byDigest = await ResolveAsync(bench, ImageReference.Parse($"{bench.Server.Host}/{Bench.Repository}@{index.Digest}"), Arm64);
        Assert.Equal(arm.Digest, byDigest.ManifestDocument.Descriptor.Digest);
    }

    [Theory]
    [InlineData("v7", "v6,v7", 1)]
    [InlineData("v8", "v6,,v7", 1)]
    [InlineData(null, "v6,v7", 1)] // arm is arm/v7 where nothing else is said
    public async Task A_variant_decides_between_those_that_run(string? wanted, string offered, int chosen)
    {
        await using var bench = await Bench.StartAsync();
        var content = bench.Server.Content;
        var manifests = offered.Split(',').Select((variant, i) =>
        {
            var layer = content.AddBlob(Bench.Repository, [(byte)i]);
            var platform = new Platform { Os = "linux", Architecture = "arm", Variant = variant.Length == 0 ? null : variant };
            return content.AddImage(Bench.Repository, "v" + i, [layer], platform: platform);
        }).ToList();
        content.AddIndex(Bench.Repository, "latest", manifests);
        var resolved = await ResolveAsync(bench, bench.Reference, new Platform { Os = "linux", Architecture = "arm", Variant = wanted });
        Assert.Equal(manifests[chosen].Digest, resolved.ManifestDocument.Descriptor.Digest);
    }

    [Fact]
    public async Task An_index_without_platforms_means_its_first_image()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "x", [bench.Blob]) with { Platform = null };
        bench.Server.Content.AddIndex(Bench.Repository, "latest", [manifest]);
        Assert.Equal(manifest.Digest, (await ResolveAsync(bench, bench.Reference)).ManifestDocument.Descriptor.Digest);
    }

    [Fact]
    public async Task An_index_without_our_platform_says_what_it_has()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.AddIndex(
            Bench.Repository, "latest", [bench.Server.Content.AddImage(Bench.Repository, "x", [bench.Blob], platform: Arm64)]);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ResolveAsync(bench, bench.Reference));
        Assert.Contains("nothing for linux/amd64, only for linux/arm64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Indexes_inside_indexes_are_followed_only_so_far()
    {
        await using var bench = await Bench.StartAsync();
        var content = bench.Server.Content;
        var inner = content.AddImage(Bench.Repository, "0", [bench.Blob], platform: Amd64);
        for (var depth = 1; depth <= 16; depth++)
            inner = content.AddIndex(Bench.Repository, $"{depth}", [inner]) with { Platform = depth == 2 ? Amd64 : null };
        Assert.Equal(16, (await ResolveAsync(bench, bench.Server.Reference(Bench.Repository, "15"))).Documents.Count);
        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => ResolveAsync(bench, bench.Server.Reference(Bench.Repository, "16")));
        Assert.Contains("more than 15 indexes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MediaTypes.DockerManifest, MediaTypes.OciManifest)]
    [InlineData(MediaTypes.OciManifest, MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.OciManifest, "")]
    public async Task Docker_s_and_OCI_s_names_of_a_manifest_mean_the_same(string contentType, string own)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        var text = Encoding.UTF8.GetString(bench.Server.Content.ManifestBytes(Bench.Repository, "latest")!);
        var changed = text.Replace($"\"mediaType\":\"{MediaTypes.OciManifest}\"", $"\"mediaType\":\"{own}\"", StringComparison.Ordinal);
        bench.Server.Content.AddManifest(Bench.Repository, "latest", contentType, Encoding.UTF8.GetBytes(changed));

        Assert.Equal(contentType, (await ResolveAsync(bench, bench.Reference)).ManifestDocument.Descriptor.MediaType);
    }

    [Fact]
    public async Task A_layer_is_read_at_the_places_its_manifest_names_by_whoever_knows_its_digest()
    {
        await using var bench = await Bench.StartAsync();
        var content = bench.Server.Content;
        var blob = content.AddBlob("elsewhere", "a foreign layer"u8.ToArray(), MediaTypes.OciLayer);
        content.AddImage(Bench.Repository, "latest", [blob], platform: Amd64);
        var named = Encoding.UTF8.GetString(content.ManifestBytes(Bench.Repository, "latest")!).Replace(
            $"\"{blob.Digest}\"", $"\"{blob.Digest}\",\"urls\":[\"http://{bench.Server.Host}/v2/elsewhere/blobs/{blob.Digest}\"]",
            StringComparison.Ordinal);
        content.AddManifest(Bench.Repository, "latest", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(named));

        await ResolveAsync(bench, bench.Reference);
        await using var stream = await bench.Client.OpenBlob(bench.Reference, blob.Digest, blob.Size)
            .OpenAsync(ReadPriority.Demanded(), CancellationToken.None);

        Assert.Equal("a foreign layer", await new StreamReader(stream).ReadToEndAsync());
    }

    [Fact]
    public async Task A_manifest_that_is_not_its_digest_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, CorruptAt = 20 });
        foreach (var reference in (string[])[$"{Bench.Repository}:latest", $"{Bench.Repository}@{manifest.Digest}"])
        {
            var error = await Assert.ThrowsAsync<RegistryException>(
                () => ResolveAsync(bench, ImageReference.Parse($"{bench.Server.Host}/{reference}")));
            Assert.Equal(RegistryFailure.Protocol, error.Failure);
            Assert.Contains("have the digest sha256:", error.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<RegistryException>(() => bench.Client.GetManifestAsync(bench.Reference, manifest, CancellationToken.None));
    }

    [Fact]
    public async Task A_manifest_of_another_size_than_its_descriptor_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var manifest = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        Assert.Equal(manifest.Size, (await bench.Client.GetManifestAsync(bench.Reference, manifest, CancellationToken.None)).Length);
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.GetManifestAsync(bench.Reference, manifest with { Size = 5 }, CancellationToken.None));
        Assert.Contains("its descriptor says 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tag_that_is_not_there_is_not_found()
    {
        await using var bench = await Bench.StartAsync();
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => ResolveAsync(bench, bench.Server.Reference(Bench.Repository, "nosuchtag")));
        Assert.Equal(RegistryFailure.NotFound, error.Failure);
        Assert.Equal($"{bench.Server.Host}: manifest {Bench.Repository}:nosuchtag: 404 Not Found: MANIFEST_UNKNOWN: manifest unknown",
            error.Message);
    }

    [Theory]
    [InlineData("<html></html>", "text/html", "this is a web page")]
    [InlineData("{}", "application/json", "(application/json) is neither an image manifest nor an index")]
    [InlineData("", MediaTypes.OciManifest, "is neither")]
    [InlineData("[1]", MediaTypes.OciManifest, "is neither")]
    [InlineData("""{"schemaVersion":1,"fsLayers":[]}""", "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1")]
    [InlineData("""{"schemaVersion":1,"fsLayers":[]}""", "application/json", "schema 1")]
    [InlineData("""{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""", MediaTypes.OciManifest,
        "the document says application/vnd.oci.image.index.v1+json")]
    [InlineData("""{"manifests":[],"layers":[]}""", MediaTypes.OciIndex, "manifest and index at once")]
    [InlineData("""{"Manifests":[],"layers":[]}""", MediaTypes.OciManifest, "manifest and index at once")]
    public async Task What_is_no_manifest_is_refused(string body, string contentType, string complaint)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Manifest, body: body) with { ContentType = contentType });
        var error = await Assert.ThrowsAsync<RegistryException>(() => ResolveAsync(bench, bench.Reference));
        Assert.Equal(RegistryFailure.Protocol, error.Failure);
        Assert.Contains(complaint, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"config":null,"layers":[]}""")]
    [InlineData("""{"config":{"mediaType":"a","digest":"sha256:short","size":1},"layers":[]}""")]
    public async Task A_manifest_that_cannot_be_read_names_itself(string body)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Faults.Add(Fault.Status(200, TestRequestKind.Manifest, body: body) with { ContentType = MediaTypes.OciManifest });
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ResolveAsync(bench, bench.Reference));
        Assert.StartsWith($"{bench.Server.Host}: manifest {Bench.Repository}:latest: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_media_type_the_header_does_not_know_is_read_from_the_document()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, Headers = new Dictionary<string,
            string> { ["Content-Type"] = "application/json; charset=utf-8" } });
        Assert.Equal(MediaTypes.OciManifest, (await ResolveAsync(bench, bench.Reference)).Root.Descriptor.MediaType);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_manifest_of_five_megabytes_is_not_read(bool lengthUnannounced)
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.AddManifest(
            Bench.Repository, "latest", MediaTypes.OciManifest, Encoding.UTF8.GetBytes(new string(' ', 5 << 20)));
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, EndlessBody = lengthUnannounced });
        var error = await Assert.ThrowsAsync<RegistryException>(() => ResolveAsync(bench, bench.Reference));
        Assert.Contains("longer than 4194304 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_whose_body_breaks_off_or_stalls_is_asked_for_again()
    {
        await using var bench = await Bench.StartAsync();
        bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob], platform: Amd64);
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, ResetAt = 10, Times = 1 });
        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Manifest, StallAt = 10, Times = 1 });
        bench.Server.Faults.Add(Fault.Status(503, TestRequestKind.Manifest, times: 1));
        await ResolveAsync(bench, bench.Reference);
        Assert.Equal(4, bench.Server.Count(TestRequestKind.Manifest));
    }

    [Fact]
    public async Task A_blob_read_into_memory_must_be_small()
    {
        await using var bench = await Bench.StartAsync();
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => bench.Client.GetBlobBytesAsync(bench.Reference, bench.Blob with { Size = (8 << 20) + 1 }, CancellationToken.None));
        Assert.Contains("at most 8388608", error.Message, StringComparison.Ordinal);
        Assert.Empty(bench.Server.Requests);
    }

    private static Task<ResolvedManifest> ResolveAsync(Bench bench, ImageReference reference, Platform? platform = null) =>
        bench.Client.ResolveAsync(reference, platform ?? Amd64, CancellationToken.None);
}
