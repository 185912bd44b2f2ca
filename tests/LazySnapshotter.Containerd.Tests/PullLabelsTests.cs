using LazySnapshotter.Containerd.Pull;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Containerd.Tests;

public sealed class PullLabelsTests
{
    [Fact]
    public void Children_are_numbered_by_kind()
    {
        Descriptor[] children =
        [
            Of(MediaTypes.DockerConfig, 1), Of(MediaTypes.DockerLayerGzip, 2), Of(MediaTypes.OciLayerZstd, 3),
            Of(MediaTypes.OciManifest, 4), Of(MediaTypes.DockerManifest, 5),
            Of("application/vnd.in-toto+json", 6), Of(MediaTypes.OciConfig, 7),
        ];

        Assert.Equal(new Dictionary<string, string>
        {
            ["containerd.io/gc.ref.content.config"] = DigestOf(1),
            ["containerd.io/gc.ref.content.l.0"] = DigestOf(2),
            ["containerd.io/gc.ref.content.l.1"] = DigestOf(3),
            ["containerd.io/gc.ref.content.m.0"] = DigestOf(4),
            ["containerd.io/gc.ref.content.m.1"] = DigestOf(5),
            ["containerd.io/gc.ref.content.0"] = DigestOf(6),
            ["containerd.io/gc.ref.content.config1"] = DigestOf(7),
        }, GcLabels.ForChildren(children));
    }

    [Fact]
    public void List_of_layers_is_cut_where_the_label_would_get_too_long()
    {
        // containerd's limit is 4096 bytes for key and value: 38 for the key, 71 for the first digest, 72 for every other.
        var digests = Enumerable.Range(0, 100).Select(i => Digest.OfSha256([(byte)i])).ToList();

        var list = UnpackLabels.LayerList(digests);

        Assert.Equal(1 + (4096 - SnapshotLabels.ImageLayers.Length - 71) / 72, list.Split(',').Length);
        Assert.StartsWith($"{digests[0]},{digests[1]},", list, StringComparison.Ordinal);
        Assert.Equal("", UnpackLabels.LayerList([]));
    }

    [Theory]
    [InlineData("", "library/python", "library/python")]
    [InlineData("library/python", "library/python", "library/python")]
    [InlineData("b,d", "c", "b,c,d")]
    public void Sources_are_sorted_and_distinct(string known, string repository, string merged) =>
        Assert.Equal(merged, ImageContent.MergeSources(known, repository));

    [Fact]
    public void Unpack_key_has_containerd_s_form()
    {
        var chainId = Digest.OfSha256("chain"u8);
        Assert.Matches($"^extract-[0-9]{{1,9}}-[A-Za-z0-9_-]{{4}} {chainId}$", UnpackKey.New(chainId));
    }

    private static Descriptor Of(string mediaType, byte content) =>
        new() { MediaType = mediaType, Digest = Digest.Parse(DigestOf(content)), Size = 1 };

    private static string DigestOf(byte content) => Digest.OfSha256([content]).ToString();
}
