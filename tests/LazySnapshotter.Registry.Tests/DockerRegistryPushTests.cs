using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Copy;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Logging;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// The writing half against a registry that is not ours, as Debian packages it: no referrers API, no conditional requests.
// What it takes from us is read back by skopeo as well.
public sealed class DockerRegistryPushTests : IAsyncLifetime
{
    private const string Type = "application/vnd.example.index.v1";

    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-push-").FullName;
    private readonly RegistryClient _client;

    public DockerRegistryPushTests() =>
        _client = new RegistryClient(new RegistryOptions { DockerConfigPath = Path.Combine(_folder, "none") }, new CapturedLogs());

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_image_pushed_by_us_is_read_by_skopeo()
    {
        await using var registry = await DockerRegistry.StartAsync();
        var (reference, image) = await PushImageAsync(registry);
        var inspected = (await ProcessRunner.RunAsync("skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://" + reference]))
            .Checked().Output;
        Assert.Equal(image.Digest, Digest.OfSha256(System.Text.Encoding.UTF8.GetBytes(inspected)));
        (await ProcessRunner.RunAsync("skopeo", [
            "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false", "docker://" + reference, 
            "dir:" + Path.Combine(_folder, "pulled"),
        ])).Checked();

        Assert.Equal(["v1"], await _client.ListTagsAsync(reference, CancellationToken.None));
        Assert.Equal(image, await _client.FindManifestAsync(reference, CancellationToken.None));
        Assert.Null(await _client.FindManifestAsync(reference with { Tag = "v2" }, CancellationToken.None));
        Assert.Empty(await _client.ListTagsAsync(ImageReference.Parse($"{registry.Address}/not/there"), CancellationToken.None));
    }

    [Fact]
    public async Task Referrers_live_under_the_tag()
    {
        await using var registry = await DockerRegistry.StartAsync(deletes: true);
        var (reference, image) = await PushImageAsync(registry);
        Assert.Empty(await _client.ListReferrersAsync(reference, image.Digest, null, CancellationToken.None));
        var one = await PushArtifactAsync(reference, image, "one");
        var two = await PushArtifactAsync(reference, image, "two");
        Assert.Equal([one.Digest, two.Digest], (await _client.ListReferrersAsync(reference, image.Digest, Type, CancellationToken.None))
            .Select(d => d.Digest));
        Assert.Equal([ReferrersIndex.TagOf(image.Digest), "v1"], (await _client.ListTagsAsync(reference, CancellationToken.None))
            .Order(StringComparer.Ordinal));

        Assert.True(await _client.DeleteReferrerAsync(reference, image.Digest, one.Digest, CancellationToken.None));
        Assert.Null(await _client.FindManifestAsync(reference with { Tag = null, Digest = one.Digest }, CancellationToken.None));
        Assert.Equal(
            two.Digest, Assert.Single(await _client.ListReferrersAsync(reference, image.Digest, null, CancellationToken.None)).Digest);
        Assert.True(await _client.DeleteReferrerAsync(reference, image.Digest, two.Digest, CancellationToken.None));
        Assert.Empty(await _client.ListReferrersAsync(reference, image.Digest, null, CancellationToken.None));
        Assert.False(await _client.DeleteReferrerAsync(reference, image.Digest, two.Digest, CancellationToken.None));
    }

    [Fact]
    public async Task Where_deletion_is_off_a_referrer_is_listed_no_more()
    {
        await using var registry = await DockerRegistry.StartAsync();
        var (reference, image) = await PushImageAsync(registry);
        var one = await PushArtifactAsync(reference, image, "one");
        Assert.True(await _client.DeleteReferrerAsync(reference, image.Digest, one.Digest, CancellationToken.None));
        Assert.Empty(await _client.ListReferrersAsync(reference, image.Digest, null, CancellationToken.None));
        var error = await Assert.ThrowsAsync<RegistryException>(
            () => _client.DeleteManifestAsync(reference, image.Digest, CancellationToken.None));
        Assert.Equal(RegistryFailure.Refused, error.Failure);
    }

    [Fact]
    public async Task Blobs_are_mounted_within_the_registry_and_copied_between_registries()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await using var other = await DockerRegistry.StartAsync();
        var (reference, image) = await PushImageAsync(registry);
        var artifact = await PushArtifactAsync(reference, image, "one");
        var copy = new ImageCopy(_client, new ImageCopyOptions());

        var within = await copy.RunAsync(
            reference, ImageReference.Parse($"{registry.Address}/team/second:v1"), null, CancellationToken.None);
        Assert.Equal((0, 3), (within.Uploaded.Blobs, within.Mounted.Blobs));
        var target = ImageReference.Parse($"{other.Address}/elsewhere/image:v7");
        var between = await copy.RunAsync(reference, target, null, CancellationToken.None);
        Assert.Equal((3, 2, 1), (between.Uploaded.Blobs, between.ManifestsCopied, between.Referrers));
        Assert.Equal(
            artifact.Digest, Assert.Single(await _client.ListReferrersAsync(target, image.Digest, Type, CancellationToken.None)).Digest);
        Assert.Equal(image.Digest, (await _client.GetManifestAsync(target, CancellationToken.None)).Descriptor.Digest);

        var again = await copy.RunAsync(reference, target, null, CancellationToken.None);
        Assert.Equal((0, 2), (again.ManifestsCopied, again.ManifestsPresent));
    }

    private async Task<(ImageReference Reference, Descriptor Manifest)> PushImageAsync(DockerRegistry registry)
    {
        var reference = ImageReference.Parse($"{registry.Address}/team/image:v1");
        var layer = new byte[2_000_000];
        new Random(5).NextBytes(layer);
        var config = """{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"""u8.ToArray();
        var manifest = OciJson.WriteManifest(new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = await PushBlobAsync(reference, config, MediaTypes.OciConfig),
            Layers = [await PushBlobAsync(reference, layer, MediaTypes.OciLayerGzip)],
        });
        return (reference, (await _client.PutManifestAsync(
            reference, reference.Tag, MediaTypes.OciManifest, manifest, CancellationToken.None)).Descriptor);
    }

    private async Task<Descriptor> PushArtifactAsync(ImageReference reference, Descriptor subject, string name)
    {
        var manifest = OciJson.WriteManifest(new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            ArtifactType = Type,
            Config = await PushBlobAsync(reference, "{}"u8.ToArray(), MediaTypes.OciEmpty),
            Layers = [],
            Subject = subject,
            Annotations = new Dictionary<string, string> { ["name"] = name },
        });
        return await _client.PushReferrerAsync(reference, MediaTypes.OciManifest, manifest, CancellationToken.None);
    }

    private async Task<Descriptor> PushBlobAsync(ImageReference reference, byte[] bytes, string mediaType)
    {
        var content = BlobContent.OfBytes(bytes);
        await _client.PushBlobAsync(reference, content, null, null, CancellationToken.None);
        return new Descriptor { MediaType = mediaType, Digest = content.Digest, Size = content.Size };
    }
}
