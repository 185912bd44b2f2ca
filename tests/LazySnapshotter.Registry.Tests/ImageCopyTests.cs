using System.Collections.Concurrent;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Copy;
using LazySnapshotter.Registry.Push;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests;

// Images on their way from one repository to another, with everything that belongs to them.
public sealed class ImageCopyTests
{
    private const string IndexType = "application/vnd.example.index.v1";

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task An_index_with_platforms_and_referrers_goes_to_another_registry(bool sourceHasApi, bool targetHasApi)
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = sourceHasApi, Auth = TestAuthMode.Bearer });
        await using var target = await TestRegistry.StartAsync(
            new TestRegistryOptions { ReferrersApi = targetHasApi, Auth = TestAuthMode.Bearer });
        var image = await Image.MakeAsync(bench);

        var progress = new Reports();
        var result = await CopyAsync(bench, bench.Reference, target.Reference("team/copy", "v2"), progress: progress);
        Assert.Equal(image.Root.Digest, result.Root.Digest);
        Assert.Equal((7, 0, 4), (result.ManifestsCopied, result.ManifestsPresent, result.Referrers));
        Assert.Equal(image.Blobs.Count, result.Uploaded.Blobs);
        Assert.Equal(image.Blobs.Sum(b => b.Size), result.Uploaded.Bytes);
        Assert.Empty(result.LeftOut);
        AssertSame(bench, target, image);

        Assert.EndsWith("/manifests/v2", target.Requests.Last(r => r.Method == "PUT").Path, StringComparison.Ordinal);
        Assert.Equal(image.Blobs.Count, progress.Blobs.Count(b => b.End == BlobPush.Uploaded));

        // Who asks the target finds what the source lists.
        foreach (var (subject, referrer) in image.Referrers)
        {
            var listed = await bench.Client.ListReferrersAsync(target.Reference("team/copy"), subject, null, CancellationToken.None);
            Assert.Equal(referrer.ArtifactType, Assert.Single(listed, d => d.Digest == referrer.Digest).ArtifactType);
        }

        target.ClearLog();
        result = await CopyAsync(bench, bench.Reference, target.Reference("team/copy", "v2"));
        Assert.Equal((0, 7, 0), (result.ManifestsCopied, result.ManifestsPresent, result.Uploaded.Blobs));
        Assert.DoesNotContain(target.Requests, r => r.Method is "PUT" or "POST");
    }

    [Fact]
    public async Task The_largest_blob_goes_first()
    {
        await using var bench = await Bench.StartAsync();
        await using var target = await TestRegistry.StartAsync();
        var image = await Image.MakeAsync(bench);
        await CopyAsync(bench, bench.Reference, target.Reference("team/copy"), new ImageCopyOptions { Parallelism = 1 });
        var sent = target.Requests.Where(r => r.Kind == TestRequestKind.Upload && r.Method == "PUT").Select(r => r.BytesReceived);
        Assert.Equal(image.Blobs.Select(b => b.Size).OrderDescending(), sent);
    }

    [Fact]
    public async Task Within_a_registry_nothing_is_sent()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Auth = TestAuthMode.Bearer });
        var image = await Image.MakeAsync(bench);
        var result = await CopyAsync(bench, bench.Reference, bench.Server.Reference("team/copy", "v2"));
        Assert.Equal(image.Blobs.Count, result.Mounted.Blobs);
        Assert.Equal(0, bench.Server.Requests.Sum(r => r.BytesReceived));
        AssertSame(bench, bench.Server, image);
    }

    [Fact]
    public async Task Another_tag_in_the_same_repository_is_one_put()
    {
        await using var bench = await Bench.StartAsync();
        var image = await Image.MakeAsync(bench);
        bench.Server.ClearLog();
        await CopyAsync(bench, bench.Reference, bench.Server.Reference(Bench.Repository, "again"));
        Assert.Single(bench.Server.Requests, r => r.Method is "PUT" or "POST");
        Assert.Equal(image.Root.Digest, Digest.OfSha256(bench.Server.Content.ManifestBytes(Bench.Repository, "again")!));
    }

    [Fact]
    public async Task One_platform_comes_with_its_own_referrers_alone()
    {
        await using var bench = await Bench.StartAsync();
        await using var target = await TestRegistry.StartAsync();
        var image = await Image.MakeAsync(bench);
        var result = await CopyAsync(
            bench, bench.Reference, target.Reference("team/copy"), new ImageCopyOptions { Platform = Platform.Parse("linux/arm64") });
        Assert.Equal(image.Arm.Digest, result.Root.Digest);
        Assert.Equal((1, 0), (result.ManifestsCopied, result.Referrers));
        Assert.Null(target.Content.ManifestBytes("team/copy", image.Amd.Digest.ToString()));

        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => CopyAsync(
                bench, bench.Reference, target.Reference("team/copy"), new ImageCopyOptions { Platform = Platform.Parse("linux/s390x") }));
        Assert.Contains("linux/amd64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Referrers_stay_behind_where_they_are_not_wanted()
    {
        await using var bench = await Bench.StartAsync();
        await using var target = await TestRegistry.StartAsync();
        await Image.MakeAsync(bench);
        var result = await CopyAsync(bench, bench.Reference, target.Reference("team/copy"), new ImageCopyOptions { Referrers = false });
        Assert.Equal((3, 0), (result.ManifestsCopied, result.Referrers));
        Assert.Equal(0, bench.Server.Count(TestRequestKind.Referrers));
    }

    [Fact]
    public async Task A_copy_that_broke_off_is_continued()
    {
        await using var bench = await Bench.StartAsync(client: Bench.Impatient with { RetryLimit = 0 });
        await using var target = await TestRegistry.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        var image = await Image.MakeAsync(bench);
        target.Faults.Add(Fault.Status(500, TestRequestKind.Manifest, times: 1) with { When = r => r.Method == "PUT", After = 4 });
        await Assert.ThrowsAsync<RegistryException>(() => CopyAsync(bench, bench.Reference, target.Reference("team/copy")));
        Assert.Null(target.Content.ManifestBytes("team/copy", "latest"));
        target.ClearLog();
        var result = await CopyAsync(bench, bench.Reference, target.Reference("team/copy"));
        Assert.True(result.ManifestsPresent > 0);
        Assert.Equal(0, target.Requests.Sum(r => r.BytesReceived));
        AssertSame(bench, target, image, "latest");
        foreach (var (subject, referrer) in image.Referrers)
            Assert.Contains(await bench.Client.ListReferrersAsync(
                target.Reference("team/copy"), subject, null, CancellationToken.None), d => d.Digest == referrer.Digest);
    }

    [Fact]
    public async Task Faults_on_both_sides_are_survived()
    {
        const int Seed = 11;
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { Seed = Seed, Auth = TestAuthMode.Bearer,
            RedirectBlobs = true }, Bench.Impatient with { RetryLimit = 12 });
        await using var target = await TestRegistry.StartAsync(new TestRegistryOptions { Seed = Seed + 1, ReferrersApi = false });
        var image = await Image.MakeAsync(bench);
        foreach (var server in (TestRegistry[])[bench.Server, target])
        {
            server.Faults.Add(Fault.Status(503) with { Probability = 0.05 });
            server.Faults.Add(new Fault { ResetBeforeAnswer = true, Probability = 0.05 });
        }

        bench.Server.Faults.Add(new Fault { Kind = TestRequestKind.Cdn, TruncateAt = 10_000, Probability = 0.3 });
        target.Faults.Add(new Fault { Kind = TestRequestKind.Upload, ResetUploadAt = 100_000, Probability = 0.2 });
        target.Faults.Add(new Fault { LoseAnswer = true, Probability = 0.1 });
        await CopyAsync(bench, bench.Reference, target.Reference("team/copy", "v2"));
        target.Faults.Clear();
        AssertSame(bench, target, image);
    }

    [Fact]
    public async Task A_wrong_digest_asked_for_is_refused_before_anything_is_sent()
    {
        await using var bench = await Bench.StartAsync();
        await Image.MakeAsync(bench);
        bench.Server.ClearLog();
        var target = bench.Server.Reference("team/copy") with { Tag = null, Digest = Digest.OfSha256("x"u8) };
        await Assert.ThrowsAsync<InvalidDataException>(() => CopyAsync(bench, bench.Reference, target));
        Assert.DoesNotContain(bench.Server.Requests, r => r.Method is "PUT" or "POST");
    }

    [Fact]
    public async Task Wrong_entries_under_the_referrers_tag_and_foreign_layers_are_left_out_and_told()
    {
        await using var bench = await Bench.StartAsync(new TestRegistryOptions { ReferrersApi = false });
        await using var target = await TestRegistry.StartAsync();
        var foreign = new Descriptor
        {
            MediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            Digest = Digest.OfSha256("foreign"u8),
            Size = 7,
            Urls = ["https://elsewhere.example/layer"],
        };
        var image = bench.Server.Content.AddImage(Bench.Repository, "latest", [bench.Blob, foreign]);
        var gone = new Descriptor { MediaType = MediaTypes.OciManifest, Digest = Digest.OfSha256("gone"u8), Size = 4 };
        var unrelated = bench.Server.Content.AddImage(
            Bench.Repository, "unrelated", [bench.Blob], platform: Platform.Parse("linux/arm64")) with { Platform = null };
        bench.Server.Content.AddIndex(Bench.Repository, ReferrersIndex.TagOf(image.Digest), [gone, unrelated]);
        var result = await CopyAsync(bench, bench.Reference, target.Reference("team/copy"));
        Assert.Equal(1, result.ManifestsCopied);
        Assert.Equal(new[] { foreign.Digest, gone.Digest, unrelated.Digest }.Order(), result.LeftOut.Select(d => d.Digest).Order());
    }

    [Fact]
    public async Task An_index_named_by_an_annotation_comes_along_with_a_single_platform()
    {
        await using var bench = await Bench.StartAsync();
        await using var target = await TestRegistry.StartAsync();
        bench.Server.Content.AddBlob(Bench.Repository, "{}"u8.ToArray());
        var index = bench.Server.Content.AddManifest(Bench.Repository, null, MediaTypes.OciManifest, OciJson.WriteManifest(
            new ImageManifest { MediaType = MediaTypes.OciManifest,
                Config = Descriptor.EmptyJson with { MediaType = "application/vnd.amazon.soci.index.v2+json" }, Layers = [bench.Blob] }));
        var image = bench.Server.Content.AddManifest(
            Bench.Repository, "latest", MediaTypes.OciManifest, OciJson.WriteManifest(new ImageManifest
        {
            MediaType = MediaTypes.OciManifest,
            Config = Descriptor.EmptyJson,
            Layers = [bench.Blob],
            Annotations = new Dictionary<string, string> { ["com.amazon.soci.index-digest"] = index.Digest.ToString() },
        }));
        await CopyAsync(bench, bench.Reference, target.Reference("team/copy"));
        Assert.NotNull(target.Content.ManifestBytes("team/copy", image.Digest.ToString()));
        Assert.NotNull(target.Content.ManifestBytes("team/copy", index.Digest.ToString()));
    }

    private static Task<ImageCopyResult> CopyAsync(
        Bench bench, ImageReference source, ImageReference target, ImageCopyOptions? options =
            null, IProgress<ImageCopyProgress>? progress = null) =>
        new ImageCopy(bench.Client, options ?? new ImageCopyOptions()).RunAsync(source, target, progress, CancellationToken.None);

    private static void AssertSame(Bench bench, TestRegistry target, Image image, string tag = "v2")
    {
        Assert.Equal(image.Root.Digest, Digest.OfSha256(target.Content.ManifestBytes("team/copy", tag)!));
        foreach (var manifest in image.Manifests)
        {
            Assert.Equal(
                bench.Server.Content.ManifestBytes(Bench.Repository, manifest.Digest.ToString()),
                target.Content.ManifestBytes("team/copy", manifest.Digest.ToString()));
        }

        foreach (var blob in image.Blobs)
            Assert.Equal(bench.Server.Content.BlobBytes(Bench.Repository, blob.Digest), target.Content.BlobBytes("team/copy", blob.Digest));
    }

    private sealed class Reports : IProgress<ImageCopyProgress>
    {
        private readonly ConcurrentQueue<ImageCopyProgress.Blob> _blobs = new();

        public IEnumerable<ImageCopyProgress.Blob> Blobs => _blobs;

        public void Report(ImageCopyProgress value)
        {
            if (value is ImageCopyProgress.Blob blob)
                _blobs.Enqueue(blob);
        }
    }

    // Two platforms in an index; the index and one platform have an artifact each, one artifact has a signature, and the
    // signature one of its own.
    private sealed record Image(
        Descriptor Root, Descriptor Amd, Descriptor Arm, IReadOnlyList<Descriptor> Manifests, IReadOnlyList<Descriptor> Blobs,
        IReadOnlyList<(Digest Subject, Descriptor Referrer)> Referrers)
    {
        public static async Task<Image> MakeAsync(Bench bench)
        {
            var content = bench.Server.Content;
            var layers = Enumerable.Range(1, 6)
                .Select(i => content.AddBlob(Bench.Repository, Bytes(i * 70_000, i), MediaTypes.OciLayerGzip)).ToList();
            var amd = content.AddImage(Bench.Repository, "amd", layers[..4], platform: Platform.Parse("linux/amd64"));
            var arm = content.AddImage(Bench.Repository, "arm", layers[3..], platform: Platform.Parse("linux/arm64"));
            var root = content.AddIndex(Bench.Repository, "latest", [amd, arm]);
            var index = content.AddBlob(Bench.Repository, Bytes(5000, 99));
            var referrers = new List<(Digest, Descriptor)>();
            var onRoot = await ReferAsync(root, "root");
            var onAmd = await ReferAsync(amd, "amd");
            var signature = await ReferAsync(onAmd, "signature");
            await ReferAsync(signature, "signature's signature");
            var configs = new[] { amd, arm }.Select(
                m => OciJson.ReadManifest(content.ManifestBytes(Bench.Repository, m.Digest.ToString())!, "it").Config);
            return new Image(
                root, amd, arm, [root, amd, arm, .. referrers.Select(r => r.Item2)], [.. layers, index, Descriptor.EmptyJson, .. configs],
                referrers);

            async Task<Descriptor> ReferAsync(Descriptor subject, string name)
            {
                content.AddBlob(Bench.Repository, "{}"u8.ToArray());
                var manifest = OciJson.WriteManifest(new ImageManifest
                {
                    MediaType = MediaTypes.OciManifest,
                    ArtifactType = IndexType,
                    Config = Descriptor.EmptyJson,
                    Layers = [index],
                    Subject = new Descriptor { MediaType = subject.MediaType, Digest = subject.Digest, Size = subject.Size },
                    Annotations = new Dictionary<string, string> { ["name"] = name },
                });
                var entry = await bench.Client.PushReferrerAsync(bench.Reference, MediaTypes.OciManifest, manifest, CancellationToken.None);
                referrers.Add((subject.Digest, entry));
                return entry;
            }
        }

        private static byte[] Bytes(int length, int seed)
        {
            var bytes = new byte[length];
            new Random(seed).NextBytes(bytes);
            return bytes;
        }
    }
}
