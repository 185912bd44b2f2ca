using LazySnapshotter.Snapshots.Model;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Snapshots.Tests;

// Layers that are served lazily, as containerd's metadata store and unpacker see them.
public sealed class RemoteSnapshotTests : SnapshotterTest
{
    [Fact]
    public async Task Layer_that_can_be_mounted_is_committed_under_its_target_with_its_labels()
    {
        var labels = RemoteLabels("sha256:aa", DigestOf(1));
        labels["containerd.io/snapshot/own"] = "kept";
        var info = await PrepareRemoteAsync("default/1/extract-1 sha256:aa", "", labels);

        Assert.Equal(("sha256:aa", "", SnapshotKind.Committed), (info.Name, info.Parent, info.Kind));
        Assert.Equal("remote snapshot", info.Labels["containerd.io/snapshot/remote"]);
        Assert.All(labels, label => Assert.Equal(label.Value, info.Labels[label.Key]));
        Assert.Throws<SnapshotNotFoundException>(() => Snapshotter.Stat("default/1/extract-1 sha256:aa"));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(SnapshotsDirectory));
        var line = Assert.Single(Log, line => line.Fields.ContainsKey("remote-snapshot-prepared"));
        Assert.Equal("true", line.Fields["remote-snapshot-prepared"]);
    }

    [Fact]
    public async Task Image_of_three_layers_is_announced_once_and_each_layer_gets_the_directories_below_it()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1), above: [DigestOf(2), DigestOf(3)]));
        await PrepareRemoteAsync("k2", "c1", RemoteLabels("c2", DigestOf(2), above: [DigestOf(3)]));
        await PrepareRemoteAsync("k3", "c2", RemoteLabels("c3", DigestOf(3)));

        var image = Assert.Single(Mounter.Announced);
        Assert.Equal("registry.example/app:1", image.Reference);
        Assert.Equal(DigestOf(-1), image.ManifestDigest);
        Assert.Equal([DigestOf(1), DigestOf(2), DigestOf(3)], image.Layers);
        Assert.Equal(
            [(DigestOf(1), []), (DigestOf(2), [Mounter.DirectoryOf(1)]), (DigestOf(3), [Mounter.DirectoryOf(2), Mounter.DirectoryOf(1)])],
            Mounter.Mounted.Select(mount => (mount.Layer, mount.Lower.ToArray())));
    }

    [Fact]
    public async Task Second_pull_of_a_removed_image_is_announced_again()
    {
        for (var pull = 1; pull <= 2; pull++)
        {
            await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1), above: [DigestOf(2)]));
            await PrepareRemoteAsync("k2", "c1", RemoteLabels("c2", DigestOf(2)));
            await Snapshotter.RemoveAsync("c2");
            await Snapshotter.RemoveAsync("c1");
            Assert.Equal(pull, Mounter.Announced.Count);
        }

        // A pull that stopped after its first layer.
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1), above: [DigestOf(2)]));
        await Snapshotter.RemoveAsync("c1");
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1), above: [DigestOf(2)]));
        Assert.Equal(4, Mounter.Announced.Count);
    }

    [Fact]
    public async Task Container_on_lazy_layers_mounts_their_directories_nearest_first()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        var view = Assert.Single((await Snapshotter.ViewAsync("look", "c1", NoLabels, CancellationToken.None)));
        Assert.Equal(("bind", Mounter.DirectoryOf(1)), (view.Type, view.Source));
        Assert.Equal(["ro", "rbind"], view.Options);

        await PrepareRemoteAsync("k2", "c1", RemoteLabels("c2", DigestOf(2)));
        LazySnapshotter.Linux.Libc.Chown(Mounter.DirectoryOf(2), 1234, 5678);
        var mount = Assert.Single(await PrepareAsync("container", "c2"));
        Assert.Equal(("overlay", "overlay"), (mount.Type, mount.Source));
        var upper = mount.Options[1]["upperdir=".Length..];
        Assert.Equal("workdir=" + Path.Combine(Path.GetDirectoryName(upper)!, "work"), mount.Options[0]);
        Assert.Equal($"lowerdir={Mounter.DirectoryOf(2)}:{Mounter.DirectoryOf(1)}", mount.Options[2]);
        Assert.Equal(mount.Options, Assert.Single(Snapshotter.Mounts("container")).Options);

        var owner = LazySnapshotter.Linux.Libc.GetStatus(upper);
        Assert.Equal((1234u, 5678u), (owner.Uid, owner.Gid));
        Assert.Equal("755", Convert.ToString(owner.Mode & 0x1FF, 8));
    }

    // What buildkit asks for before it takes a container's upper directory for the difference to its parent, and reads nothing else:
    // one overlay whose lower directories are those of a view of the parent, and no option it does not know (its GetUpperdir).
    [Fact]
    public async Task Upper_directory_of_a_container_is_the_difference_to_a_view_of_its_parent()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        await PrepareRemoteAsync("k2", "c1", RemoteLabels("c2", DigestOf(2)));
        await PrepareAsync("k3", "c2");
        Commit("c3", "k3");

        foreach (var parent in new[] { "c1", "c2", "c3" })
        {
            var view = Assert.Single(await Snapshotter.ViewAsync("view-" + parent, parent, NoLabels, default));
            var below = view.Type == "bind" ? view.Source : OptionOf(view, "lowerdir");
            var container = Assert.Single(await PrepareAsync("container-" + parent, parent));
            Assert.Equal(below, OptionOf(container, "lowerdir"));
            Assert.Equal("overlay", container.Type);
            Assert.All(
                container.Options.Concat(view.Type == "bind" ? [] : view.Options),
                option => Assert.Contains(option.Split('=')[0], new[] { "upperdir", "workdir", "lowerdir", "index", "userxattr" }));
        }
    }

    [Fact]
    public async Task A_lazy_layer_that_an_image_has_twice_is_mounted_where_it_is_topmost()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        await PrepareRemoteAsync("k2", "c1", RemoteLabels("c2", DigestOf(2)));
        await PrepareRemoteAsync("k3", "c2", RemoteLabels("c3", DigestOf(1)));
        var mount = Assert.Single(await PrepareAsync("container", "c3"));
        Assert.Contains($"lowerdir={Mounter.DirectoryOf(1)}:{Mounter.DirectoryOf(2)}", mount.Options);

        await PrepareRemoteAsync("k4", "c1", RemoteLabels("c4", DigestOf(1)));
        var look = Assert.Single(await Snapshotter.ViewAsync("look", "c4", NoLabels, default));
        Assert.Equal(("bind", Mounter.DirectoryOf(1)), (look.Type, look.Source));
    }

    [Fact]
    public async Task Ordinary_layer_may_lie_on_a_lazy_one_and_a_lazy_one_on_it()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        Mounter.Before = (_, _) => throw new LayerUnavailableException("zstd layer");
        var mount = Assert.Single(await PrepareAsync("k2", "c1", RemoteLabels("c2", DigestOf(2))));
        Commit("c2", "k2", RemoteLabels("c2", DigestOf(2)));
        Mounter.Before = (_, _) => Task.CompletedTask;
        await PrepareRemoteAsync("k3", "c2", RemoteLabels("c3", DigestOf(3)));

        var files = mount.Options.Single(option => option.StartsWith("upperdir=", StringComparison.Ordinal))["upperdir=".Length..];
        Assert.Equal([files, Mounter.DirectoryOf(1)], Mounter.Mounted.Last().Lower);
        Assert.Contains($"lowerdir={Mounter.DirectoryOf(2)}:{files}:{Mounter.DirectoryOf(1)}", Assert.Single(
            await PrepareAsync("container", "c3")).Options);
    }

    [Fact]
    public async Task What_the_image_claims_of_a_layer_is_passed_on_to_whoever_can_check_it()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        var labels = RemoteLabels("c2", DigestOf(2));
        labels["containerd.io/snapshot/lazysnap.layer-size"] = "4711";
        await PrepareRemoteAsync("k2", "c1", labels);
        Assert.Equal(
            [new LayerClaim(DigestOf(1), "", "c1"), new LayerClaim(DigestOf(2), "c1", "c2") { Bytes = 4711 }], Mounter.Claims);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Layer_that_cannot_be_mounted_is_left_to_containerd_with_one_warning(bool expected)
    {
        Mounter.Before = (layer, _) => throw (expected
            ? new LayerUnavailableException($"layer {layer}: no index anywhere")
            : new InvalidOperationException("a bug of ours"));
        var mount = Assert.Single(await PrepareAsync("extract", "", RemoteLabels("sha256:aa", DigestOf(1))));
        Assert.Equal("bind", mount.Type);
        Assert.Equal(["rw", "rbind"], mount.Options);
        Commit("default/2/sha256:aa", "extract", RemoteLabels("sha256:aa", DigestOf(1)));
        Assert.False(Snapshotter.Stat("default/2/sha256:aa").Labels.ContainsKey("containerd.io/snapshot/remote"));

        var line = Assert.Single(Log, line => line.Level == LogLevel.Warning);
        Assert.Equal("false", line.Fields["remote-snapshot-prepared"]);
        Assert.Equal(DigestOf(1).ToString(), line.Fields["Layer"]);
        Assert.Contains(expected ? "no index anywhere" : "a bug of ours", line.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("containerd.io/snapshot.ref")]
    [InlineData("containerd.io/snapshot/cri.image-ref")]
    [InlineData("containerd.io/snapshot/cri.layer-digest")]
    public async Task Without_one_of_the_labels_a_layer_is_an_ordinary_one(string missing)
    {
        var labels = RemoteLabels("sha256:aa", DigestOf(1));
        labels.Remove(missing);
        Assert.Single(await PrepareAsync("k", "", labels));
        labels[missing] = missing.EndsWith("digest", StringComparison.Ordinal) ? "md5:no" : "";
        Assert.Single(await PrepareAsync("k2", "", labels));
        Assert.Empty(Mounter.Mounted);
    }

    [Fact]
    public async Task Layers_label_with_nonsense_in_it_still_names_the_layer_itself()
    {
        var labels = RemoteLabels("c1", DigestOf(1));
        labels["containerd.io/snapshot/cri.image-layers"] = "nonsense,," + DigestOf(2);
        labels["containerd.io/snapshot/cri.manifest-digest"] = "nonsense";
        await PrepareRemoteAsync("k", "", labels);
        var image = Assert.Single(Mounter.Announced);
        Assert.Equal([DigestOf(1), DigestOf(2)], image.Layers);
        Assert.Null(image.ManifestDigest);
    }

    [Fact]
    public async Task Another_namespace_gets_the_same_snapshot_without_a_mount()
    {
        var first = await PrepareRemoteAsync("one/1/extract", "", RemoteLabels("sha256:aa", DigestOf(1)));
        var second = await PrepareRemoteAsync("two/1/extract", "", RemoteLabels("sha256:aa", DigestOf(1)));
        Assert.Equal(first.Name, second.Name);
        Assert.Single(Mounter.Mounted);
    }

    [Fact]
    public async Task Same_target_on_another_parent_gets_a_name_of_its_own()
    {
        await PrepareAsync("p-tmp");
        Commit("p", "p-tmp");
        var first = await PrepareRemoteAsync("k1", "", RemoteLabels("sha256:aa", DigestOf(1)));
        var second = await PrepareRemoteAsync("k2", "p", RemoteLabels("sha256:aa", DigestOf(1)));
        Assert.Equal("sha256:aa", first.Name);
        Assert.NotEqual(first.Name, second.Name);
        Assert.Equal("p", second.Parent);
        Assert.Single(Mounter.Kept);

        // Both rows refer to one layer: it goes with the last of them.
        await Snapshotter.RemoveAsync(first.Name);
        Assert.Empty(Mounter.Released);
        await Snapshotter.RemoveAsync(second.Name);
        Assert.Equal([1], Mounter.Released);
    }

    [Fact]
    public async Task Target_whose_name_an_ordinary_snapshot_has_gets_another()
    {
        await PrepareAsync("tmp");
        Commit("sha256:aa", "tmp");
        var info = await PrepareRemoteAsync("k1", "", RemoteLabels("sha256:aa", DigestOf(1)));
        Assert.StartsWith("sha256:aa", info.Name, StringComparison.Ordinal);
        Assert.NotEqual("sha256:aa", info.Name);
    }

    [Fact]
    public async Task Removing_a_lazy_snapshot_releases_its_layer_but_not_while_it_has_children()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        await PrepareAsync("container", "c1");
        await Assert.ThrowsAsync<SnapshotStateException>(() => Snapshotter.RemoveAsync("c1"));
        Assert.Empty(Mounter.Released);
        await Snapshotter.RemoveAsync("container");
        await Snapshotter.RemoveAsync("c1");
        Assert.Equal([1], Mounter.Released);
        Assert.Empty(Snapshotter.LayersInUse());
    }

    [Fact]
    public async Task Mistakes_in_the_request_are_told_before_anything_is_mounted()
    {
        await PrepareAsync("active");
        await Assert.ThrowsAsync<SnapshotNotFoundException>(() => PrepareAsync("k", "nobody", RemoteLabels("c", DigestOf(1))));
        await Assert.ThrowsAsync<SnapshotArgumentException>(() => PrepareAsync("k", "active", RemoteLabels("c", DigestOf(1))));
        await Assert.ThrowsAsync<SnapshotExistsException>(() => PrepareAsync("active", "", RemoteLabels("c", DigestOf(1))));
        Assert.Empty(Mounter.Announced);
        Assert.Empty(Mounter.Mounted);
    }

    [Fact]
    public async Task Client_that_goes_away_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        Mounter.Before = async (_, token) =>
        {
            await cancellation.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => PrepareAsync("k", "", RemoteLabels("c", DigestOf(1)), cancellation.Token));
        Assert.Empty(Snapshotter.List([]));
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(SnapshotsDirectory));
    }

    [Fact]
    public async Task Usage_of_a_lazy_layer_is_what_the_mounter_says()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        Assert.Equal(new SnapshotUsage(1000, 1), Snapshotter.Usage("c1", CancellationToken.None));
    }

    [Fact]
    public async Task Lazy_layers_are_known_after_a_restart()
    {
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        var before = await PrepareAsync("container", "c1");
        await RestartAsync();
        Assert.Equal(before[0].Options, Snapshotter.Mounts("container")[0].Options);
        Assert.Equal([1], Snapshotter.LayersInUse());
        await PrepareRemoteAsync("k1", "", RemoteLabels("c1", DigestOf(1)));
        Assert.Single(Mounter.Mounted);
    }

    private static string OptionOf(SnapshotMount mount, string name) =>
        mount.Options.Single(option => option.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];
}
