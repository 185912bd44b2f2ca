using System.Text;
using LazySnapshotter.Containerd.Client;
using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Containerd.Tests;

// Images that are wrong, and peers that are: a clear error, and nothing left behind.
public sealed class BadImageTests(PullPeers peers) : PullTest(peers)
{
    [Fact]
    public async Task Blob_that_is_not_what_its_digest_says_is_refused_and_a_later_pull_succeeds()
    {
        var image = GreetingImage.WithGreeting("bit flip");
        var reference = image.AddTo(Peers.Registry, "corrupt");
        var layer = Digest.OfSha256(image.Layers[2].Blob);
        Peers.Registry.Faults.Add(
            new Fault { When = request => request.Path.EndsWith(layer.Hex, StringComparison.Ordinal), CorruptAt = 2_000_000, Times = 2 });

        var e = await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(reference));

        Assert.Contains(layer.ToString(), e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
        await PullAsync(reference);
        Assert.Equal("bit flip\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Blob_that_comes_wrong_once_is_fetched_again()
    {
        var image = GreetingImage.WithGreeting("second time lucky");
        var reference = image.AddTo(Peers.Registry, "corrupt-once");
        var layer = Digest.OfSha256(image.Layers[2].Blob);
        Peers.Registry.Faults.Add(
            new Fault { When = request => request.Path.EndsWith(layer.Hex, StringComparison.Ordinal), CorruptAt = 2_000_000, Times = 1 });

        await PullAsync(reference);
        Assert.Equal("second time lucky\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Wrong_rest_of_somebody_s_download_is_thrown_away()
    {
        var image = GreetingImage.WithGreeting("somebody else's");
        var reference = image.AddTo(Peers.Registry, "poisoned");
        var layer = new Descriptor
        {
            MediaType = MediaTypes.OciLayerGzip,
            Digest = Digest.OfSha256(image.Layers[2].Blob),
            Size = image.Layers[2].Blob.Length,
        };
        await Client.Namespaces.EnsureAsync(CancellationToken.None);
        using (var writer = await Client.Content.OpenWriterAsync("layer-" + layer.Digest, layer, CancellationToken.None))
            await writer!.WriteAsync(new byte[2_000_000]);

        await PullAsync(reference);

        Assert.Equal("somebody else's\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Rest_of_somebody_s_download_is_used()
    {
        var image = GreetingImage.WithGreeting("resumed");
        var reference = image.AddTo(Peers.Registry, "resumed");
        var blob = image.Layers[2].Blob;
        var layer = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.OfSha256(blob), Size = blob.Length };
        await Client.Namespaces.EnsureAsync(CancellationToken.None);
        using (var writer = await Client.Content.OpenWriterAsync("layer-" + layer.Digest, layer, CancellationToken.None))
            await writer!.WriteAsync(blob.AsMemory(0, 2_000_000));

        var result = await PullAsync(reference);

        Assert.InRange(result.BytesFetched, 1, image.Layers.Sum(each => each.Blob.Length) - 1_900_000);
        Assert.Equal("resumed\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Layer_that_does_not_unpack_to_its_diff_id_is_refused()
    {
        var image = GreetingImage.WithGreeting("wrong diff id");
        var wrong = Digest.OfSha256("something else"u8);
        image.Layers[1] = image.Layers[1] with { DiffId = wrong };
        var reference = image.AddTo(Peers.Registry, "wrong-diff-id");

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(reference));

        Assert.Contains(wrong.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Contains(Digest.OfSha256(image.Layers[1].Blob).ToString(), e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
    }

    [Fact]
    public async Task Layer_that_is_no_tar_is_refused_by_containerd_and_named()
    {
        var image = GreetingImage.WithGreeting("no tar");
        var noise = new byte[1000];
        Array.Fill(noise, (byte)7);
        image.Layers.Add((MediaTypes.OciLayerGzip, noise, Digest.OfSha256(noise)));
        var reference = image.AddTo(Peers.Registry, "no-tar");

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(reference));

        Assert.Contains(Digest.OfSha256(noise).ToString(), e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
    }

    [Theory]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.zstd", "is not a layer")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted")]
    [InlineData("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "is not a layer")]
    public async Task Layers_that_containerd_cannot_unpack_are_refused_at_once(string mediaType, string why)
    {
        var image = GreetingImage.WithGreeting(mediaType);
        image.Layers[1] = image.Layers[1] with { MediaType = mediaType };
        var reference = image.AddTo(Peers.Registry, "unknown-layer");

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(reference));

        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Contains(mediaType, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Artifact_is_called_what_it_is()
    {
        var image = GreetingImage.WithGreeting("artifact");
        image.ConfigMediaType = "application/vnd.cncf.helm.config.v1+json";
        image.Layers.RemoveRange(1, 2);
        image.Layers[0] = image.Layers[0] with { MediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip" };
        var reference = image.AddTo(Peers.Registry, "artifact");

        var e = await Assert.ThrowsAsync<InvalidDataException>(() => PullAsync(reference));

        Assert.Contains("this is no container image, but a Helm chart", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1")]
    [InlineData("application/json", "schema 1")]
    [InlineData("text/html", "a web page")]
    public async Task Documents_of_other_kinds_are_called_what_they_are(string mediaType, string kind)
    {
        var document = mediaType == "text/html" ? "<html>" : """{"schemaVersion":1,"fsLayers":[],"history":[]}""";
        Peers.Registry.Content.AddManifest("other-kind", "latest", mediaType, Encoding.UTF8.GetBytes(document));

        var e = await Assert.ThrowsAsync<RegistryException>(() => PullAsync(Peers.Registry.Reference("other-kind")));

        Assert.Contains(kind, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_of_another_platform_than_the_one_asked_for_is_refused()
    {
        var image = GreetingImage.WithGreeting("elsewhere");
        image.Platform = new Platform { Os = "linux", Architecture = "s390x" };
        var reference = image.AddTo(Peers.Registry, "elsewhere");

        var pull = new ImagePull(
            Client, Peers.RegistryClient, new PullOptions { Snapshotter = "overlayfs", Platform = Platform.Parse("linux/arm64") });
        var e = await Assert.ThrowsAsync<PullException>(() => pull.RunAsync(reference, null, CancellationToken.None));

        Assert.Contains("is for linux/s390x, wanted is linux/arm64", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entry_without_a_platform_is_as_good_as_its_configuration()
    {
        var image = GreetingImage.WithGreeting("unnamed");
        image.Platform = new Platform { Os = "linux", Architecture = "s390x" };
        image.AddTo(Peers.Registry, "unnamed");
        var manifest = Peers.Registry.Content.ManifestBytes("unnamed", image.ManifestDigest.ToString())!;
        Peers.Registry.Content.AddIndex("unnamed", "latest",
            [new Descriptor { MediaType = MediaTypes.OciManifest, Digest = image.ManifestDigest, Size = manifest.Length }]);

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(Peers.Registry.Reference("unnamed")));

        Assert.Contains("is for linux/s390x", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "its descriptor says")]
    [InlineData(-1, "its descriptor says")]
    public async Task Layer_of_another_size_than_its_manifest_says_is_refused(int difference, string why)
    {
        var image = GreetingImage.WithGreeting($"size {difference}");
        image.ChangeManifest = manifest => manifest["layers"]![1]!["size"] = image.Layers[1].Blob.Length + difference;
        var reference = image.AddTo(Peers.Registry, "size");

        var e = await Assert.ThrowsAnyAsync<IOException>(() => PullAsync(reference));

        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.Contains(Digest.OfSha256(image.Layers[1].Blob).ToString(), e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
    }

    [Theory]
    [InlineData("layers", "0 bytes")]
    [InlineData("config", "0 bytes")]
    public async Task Descriptors_of_nothing_are_refused(string which, string why)
    {
        var image = GreetingImage.WithGreeting($"nothing {which}");
        image.ChangeManifest = manifest => (which == "config" ? manifest["config"] : manifest["layers"]![0])!["size"] = 0;

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(image.AddTo(Peers.Registry, "nothing")));

        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_must_have_a_diff_id_for_every_layer()
    {
        var image = GreetingImage.WithGreeting("counted");
        image.DiffIdsInConfig = 2;
        var reference = image.AddTo(Peers.Registry, "counted");

        var e = await Assert.ThrowsAsync<PullException>(() => PullAsync(reference));

        Assert.Contains("3 layers", e.Message, StringComparison.Ordinal);
        Assert.Contains("2 diff IDs", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Layer_missing_in_the_registry_is_named()
    {
        var image = GreetingImage.WithGreeting("missing");
        var reference = image.AddTo(Peers.Registry, "missing");
        var layer = Digest.OfSha256(image.Layers[1].Blob);
        Peers.Registry.Faults.Add(
            new Fault { When = request => request.Path.EndsWith(layer.Hex, StringComparison.Ordinal), StatusCode = 404, Times = 1 });

        var e = await Assert.ThrowsAsync<RegistryException>(() => PullAsync(reference));

        Assert.Equal(RegistryFailure.NotFound, e.Failure);
        Assert.Contains(layer.ToString(), e.Message, StringComparison.Ordinal);
        await AssertNothingLeftAsync(reference);
    }

    [Fact]
    public async Task Connection_that_breaks_in_a_layer_is_resumed()
    {
        var image = GreetingImage.WithGreeting("broken off");
        var reference = image.AddTo(Peers.Registry, "broken-off");
        var layer = Digest.OfSha256(image.Layers[2].Blob);
        Peers.Registry.Faults.Add(
            new Fault { When = request => request.Path.EndsWith(layer.Hex, StringComparison.Ordinal), ResetAt = 1_500_000, Times = 1 });

        await PullAsync(reference);

        Assert.Equal("broken off\n", await RunAsync(reference));
    }

    [Fact]
    public async Task Cancelled_pull_leaves_nothing()
    {
        var reference = GreetingImage.WithGreeting("cancelled").AddTo(Peers.Registry, "cancelled");
        using var cancellation = new CancellationTokenSource();
        var pull = Task.Run(() => PullAsync(reference, cancellationToken: cancellation.Token));
        while (!Progress.OfType<PullProgress.Layer>().Any(layer => layer.State == LayerState.Downloading))
            await Task.Delay(1);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);

        await AssertNothingLeftAsync(reference);
    }

    [Fact]
    public async Task Absent_containerd_is_named_with_its_socket()
    {
        using var client = new ContainerdClient("/run/no-such-directory/containerd.sock");
        var pull = new ImagePull(client, Peers.RegistryClient, new PullOptions());

        var e = await Assert.ThrowsAsync<ContainerdUnreachableException>(() =>
            pull.RunAsync(ImageReference.Parse("127.0.0.1:1/never:asked"), null, CancellationToken.None));

        Assert.Contains("/run/no-such-directory/containerd.sock: no such socket", e.Message, StringComparison.Ordinal);
    }
}
