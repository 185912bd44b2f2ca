using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// Which images may stand on a layer whose content nobody has proved yet.
public sealed class LayerAdmissionTests : SnapshotterTest
{
    private const string Chain1 = "c1";
    private const string Chain2 = "c2";

    private static readonly RemoteImage Own = new("registry.example/app:1", DigestOf(-1), []);
    private static readonly RemoteImage Other = new("registry.example/other:1", DigestOf(-2), []);

    [Fact]
    public async Task A_container_on_verified_layers_asks_nobody()
    {
        await PullAsync();
        await PrepareAsync("container", Chain2);
        Assert.Empty(Mounter.Admitted);
    }

    [Fact]
    public async Task A_container_on_an_unverified_layer_is_admitted_for_the_images_that_have_its_chain()
    {
        await PullAsync();
        Mounter.Unverified[1] = "";
        Images.OnChain[Chain2] = [Own, Other];

        await PrepareAsync("container", Chain2);
        (await Snapshotter.ViewAsync("view", Chain2, NoLabels, default)).ToString();

        Assert.All(Mounter.Admitted, asked => Assert.Equal(1, asked.Layer));
        Assert.All(Mounter.Admitted, asked => Assert.Equal([Own, Other], asked.Images));
        Assert.Equal(2, Mounter.Admitted.Count);
    }

    [Fact]
    public async Task Who_unpacks_a_layer_without_saying_of_which_image_is_nobody_in_particular()
    {
        await PullAsync();
        Mounter.Unverified[1] = "";
        Images.OnChain[Chain1] = [Own];

        await PrepareAsync("extract", Chain1, new() { ["containerd.io/snapshot.ref"] = "sha256:other" });

        Assert.Empty(Assert.Single(Mounter.Admitted).Images);
    }

    [Fact]
    public async Task Another_image_s_layer_on_an_unverified_one_is_admitted_for_that_image()
    {
        await PullAsync();
        Mounter.Unverified[1] = "";
        await PrepareRemoteAsync("k3", Chain1, RemoteLabels("c3", DigestOf(3), "registry.example/other:1"));
        Assert.Equal("registry.example/other:1", Assert.Single(Assert.Single(Mounter.Admitted).Images).Reference);
    }

    [Fact]
    public async Task A_layer_found_wrong_is_mounted_anew_with_all_that_lies_on_it()
    {
        await PullAsync();
        Mounter.Unverified[1] = "";
        Mounter.Admit = (layer, _) => layer == 1 ? "span 0 differs" : null;
        Images.OnChain[Chain2] = [Other];
        Mounter.Layers = [DigestOf(11), DigestOf(12)];

        var mount = Assert.Single(await PrepareAsync("container", Chain2));

        Assert.Equal($"lowerdir={Mounter.DirectoryOf(4)}:{Mounter.DirectoryOf(3)}", mount.Options[2]);
        Assert.Equal(
            [(DigestOf(11), []), (DigestOf(12), [Mounter.DirectoryOf(3)])],
            Mounter.Mounted.Skip(2).Select(each => (each.Layer, each.Lower.ToArray())));
        Assert.Equal([1, 2], Mounter.Released.Order());
        Assert.Equal([3, 4], Snapshotter.LayersInUse().Order());
    }

    [Fact]
    public async Task What_was_unpacked_on_a_wrong_layer_is_refused()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels(Chain1, DigestOf(1)));
        Mounter.Before = (_, _) => throw new LayerUnavailableException("zstd");
        await PrepareAsync("k2", Chain1, RemoteLabels(Chain2, DigestOf(2)));
        Commit(Chain2, "k2", RemoteLabels(Chain2, DigestOf(2)));
        Mounter.Before = (_, _) => Task.CompletedTask;
        Mounter.Unverified[1] = "";
        Mounter.Admit = (_, _) => "its tree differs";
        Images.OnChain[Chain2] = [Other];
        Mounter.Layers = [DigestOf(11), DigestOf(12)];

        var refused = await Assert.ThrowsAsync<SnapshotStateException>(() => PrepareAsync("container", Chain2));

        Assert.Contains("its tree differs", refused.Message, StringComparison.Ordinal);
        Assert.Contains("was unpacked on the wrong layer", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Snapshotter.List([]), info => info.Name == "container");
    }

    [Fact]
    public async Task Where_it_is_not_known_which_image_is_meant_a_wrong_layer_is_refused()
    {
        await PullAsync();
        Mounter.Unverified[1] = "";
        Mounter.Admit = (_, _) => "it could not be compared: no route to host";
        var refused = await Assert.ThrowsAsync<SnapshotStateException>(() => PrepareAsync("container", Chain2));
        Assert.Contains("no route to host", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("parent", true)]
    [InlineData("", false)]
    [InlineData("parent", false)]
    public void A_claim_is_true_of_one_diff_id_on_one_parent(string parent, bool isTrue)
    {
        var below = parent.Length == 0 ? "" : DigestOf(5).ToString();
        var chain = parent.Length == 0
            ? DigestOf(1).ToString()
            : Digest.OfSha256(System.Text.Encoding.ASCII.GetBytes($"{DigestOf(5)} {DigestOf(1)}")).ToString();
        Assert.Equal(isTrue, new LayerClaim(DigestOf(9), below, chain).IsTrueOf(DigestOf(isTrue ? 1 : 2)));
    }

    private async Task PullAsync()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels(Chain1, DigestOf(1), above: [DigestOf(2)]));
        await PrepareRemoteAsync("k2", Chain1, RemoteLabels(Chain2, DigestOf(2)));
    }
}
