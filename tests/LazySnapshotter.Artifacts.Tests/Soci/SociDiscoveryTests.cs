using System.Text;
using LazySnapshotter.Artifacts.IndexSources;
using LazySnapshotter.Artifacts.Soci;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Artifacts.Tests.Soci;

// Images indexed as soci's tools leave them in a registry.
public sealed class SociDiscoveryTests
{
    [Fact]
    public async Task Version_1_is_found_among_the_referrers_and_its_zTOC_becomes_an_index()
    {
        await using var image = await PublishedImage.StartAsync(layerCount: 3);
        // soci leaves out small layers.
        image.AddReferrer(await V1Async(image, layers: [0, 2]));
        var source = NewSource(image, version: 1);
        image.Registry.ClearLog();

        using var first = (await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default))!.Index;
        using var third = (await source.ObtainAsync(image.Origin, image.Layers[2].Digest, null, default))!.Index;
        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[1].Digest, null, default));

        Assert.Equal(image.Layers[0].Digest, first.LayerDigest);
        Assert.Equal(image.Layers[0].Size, first.Spans.CompressedLength);
        Assert.Equal(1 + 1 + 60, first.Toc.Count); // the root, the layer's directory, its files
        Assert.Equal(image.Layers[2].Digest, third.LayerDigest);
        Assert.Empty(image.Logs.Warnings);

        // The referrers' 404 and their tag, soci's manifest, the image's for the layers' sizes; its configuration for what the
        // layers unpack to, a zTOC per layer.
        Assert.Equal(3, image.Registry.Count(TestRequestKind.Manifest));
        Assert.Equal(1 + 2, image.Registry.Count(TestRequestKind.Blob));
        Assert.All(new[] { first, third }, index => Assert.NotNull(index.DiffId));
    }

    [Fact]
    public async Task Version_2_is_named_by_the_images_manifest_and_asks_for_no_referrers()
    {
        await using var image = await PublishedImage.StartAsync(annotations: async published =>
        {
            var manifest = await V2Async(published);
            var index = published.Registry.Content.AddManifest(PublishedImage.Repository, tag: null, MediaTypes.OciManifest, manifest);
            return new Dictionary<string, string> { [SociNames.IndexDigestAnnotation] = index.Digest.ToString() };
        });
        var source = NewSource(image, version: 2);
        image.Registry.ClearLog();

        foreach (var layer in image.Layers)
            (await source.ObtainAsync(image.Origin, layer.Digest, null, default))!.Index.Dispose();

        Assert.Equal(2, image.Registry.Count(TestRequestKind.Manifest));
        Assert.Equal(1 + 2, image.Registry.Count(TestRequestKind.Blob));
        Assert.DoesNotContain(image.Registry.Requests, request => request.Path.Contains("referrers", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no digest", "not a digest")]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000", "0000")]
    public async Task A_version_2_that_is_not_there_is_said_and_is_as_good_as_none(string annotation, string named)
    {
        await using var image = await PublishedImage.StartAsync(
            annotations: _ => Task.FromResult(new Dictionary<string, string> { [SociNames.IndexDigestAnnotation] = annotation }));
        var source = NewSource(image, version: 2);

        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default));
        Assert.Contains(named, Assert.Single(image.Logs.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_zTOC_of_another_layer_is_refused()
    {
        await using var image = await PublishedImage.StartAsync();
        var other = await image.BuildZtocAsync(1);
        image.AddReferrer(new SociIndexManifest { Subject = image.Manifest, Ztocs = [Part(image, 0, other)] }.ToBytes());
        var source = NewSource(image, version: 1);

        Assert.Null(await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default));
        Assert.Contains("zTOC", Assert.Single(image.Logs.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_zTOC_cut_short_anywhere_is_refused()
    {
        await using var image = await PublishedImage.StartAsync(layerCount: 1);
        var whole = await image.BuildZtocAsync(0);
        // Every place would be thousands of registries' worth of requests; the parser has that test.
        foreach (var length in new[] { 0, 1, 7, whole.Length / 2, whole.Length - 1 })
        {
            await using var published = await PublishedImage.StartAsync(layerCount: 1);
            published.AddReferrer(
                new SociIndexManifest { Subject = published.Manifest, Ztocs = [Part(published, 0, whole[..length])] }.ToBytes());
            var source = NewSource(published, version: 1);

            Assert.Null(await source.ObtainAsync(published.Origin, published.Layers[0].Digest, null, default));
            Assert.Single(published.Logs.Warnings);
        }
    }

    [Fact]
    public async Task A_prefetch_list_says_what_to_warm_and_a_bad_one_costs_only_itself()
    {
        await using var image = await PublishedImage.StartAsync();
        var good = image.AddBlob("""{"version":"1.0","prefetch_spans":[{"start_span":1,"end_span":2}]}"""u8.ToArray());
        var bad = image.AddBlob("""{"version":"1.0","prefetch_spans":[{"start_span":1,"end_span":2000000}]}"""u8.ToArray());
        image.AddReferrer(new SociIndexManifest
        {
            Subject = image.Manifest,
            Ztocs = [Part(image, 0, await image.BuildZtocAsync(0)), Part(image, 1, await image.BuildZtocAsync(1))],
            Prefetches = [Prefetch(image, 0, good), Prefetch(image, 1, bad)],
        }.ToBytes());
        var source = NewSource(image, version: 1);

        var first = (await source.ObtainAsync(image.Origin, image.Layers[0].Digest, null, default))!;
        var second = (await source.ObtainAsync(image.Origin, image.Layers[1].Digest, null, default))!;

        Assert.Equal([new SpanRangeToWarm(new SpanId(1), new SpanId(2))], first.Warm);
        Assert.Empty(second.Warm);
        Assert.Contains("prefetch", Assert.Single(image.Logs.Warnings), StringComparison.Ordinal);
        first.Index.Dispose();
        second.Index.Dispose();
    }

    private static SociIndexSource NewSource(PublishedImage image, int version)
    {
        var client = image.NewClient();
        return new SociIndexSource(version, image.NewDiscovery(client), client, image.NewNode(), image.Logs);
    }

    private static async Task<byte[]> V1Async(PublishedImage image, int[] layers)
    {
        var parts = new List<SociZtoc>();
        foreach (var layer in layers)
            parts.Add(Part(image, layer, await image.BuildZtocAsync(layer)));
        return new SociIndexManifest { Subject = image.Manifest, BuildTool = "AWS SOCI CLI v0.2", Ztocs = parts }.ToBytes();
    }

    private static async Task<byte[]> V2Async(PublishedImage image)
    {
        var parts = new List<SociZtoc> { Part(image, 0, await image.BuildZtocAsync(0)), Part(image, 1, await image.BuildZtocAsync(1)) };
        var v1 = Encoding.UTF8.GetString(new SociIndexManifest { BuildTool = "AWS SOCI CLI v0.2", Ztocs = parts }.ToBytes());
        return Encoding.UTF8.GetBytes(v1.Replace(SociNames.IndexV1, SociNames.IndexV2, StringComparison.Ordinal));
    }

    private static SociZtoc Part(PublishedImage image, int layer, byte[] ztoc) => new()
    {
        Blob = image.AddBlob(ztoc),
        LayerDigest = image.Layers[layer].Digest,
        LayerMediaType = image.Layers[layer].MediaType,
        SpanSize = 64 << 10,
    };

    private static SociPrefetch Prefetch(PublishedImage image, int layer, Descriptor blob) =>
        new() { Blob = blob with { MediaType = SociNames.PrefetchMediaType }, LayerDigest = image.Layers[layer].Digest };
}
