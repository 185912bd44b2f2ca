using System.Formats.Tar;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.IntegrationTests;

// The layer containerd makes of what a container changed. Its differ compares a mount of the parent with a mount of the
// container, entry by entry: type, owner, mode, capabilities, time, and contents where neither time has a fraction.
public sealed class CommitTests
{
    [Fact]
    public async Task A_commit_above_lazy_layers_holds_what_it_holds_above_unpacked_ones()
    {
        var image = await TestImages.Python;
        await using var registry = await DockerRegistry.StartAsync();
        var reference = await registry.PushAsync(image);
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);
        Assert.Contains(" 0 unpacked", (await node.PullAsync(reference)).Output, StringComparison.Ordinal);
        await node.Containerd.PullAsync(reference, "overlayfs");

        var unpacked = await CommitAsync(node.Containerd, image, "overlayfs");
        var lazy = await CommitAsync(node.Containerd, image, LazyNode.Snapshotter);

        Assert.Equal(unpacked, lazy);
        Assert.Contains("etc/.wh.debian_version", lazy);
        Assert.Contains("etc/new", lazy);
        Assert.Contains("etc/passwd", lazy);
        Assert.InRange(lazy.Count, 3, 20);
    }

    private static async Task<List<string>> CommitAsync(ContainerdProcess containerd, TestImage image, string snapshotter)
    {
        await using var tree = await containerd.MountImageAsync(image, snapshotter);
        await File.WriteAllTextAsync(Path.Combine(tree.Path, "etc/new"), "new\n");
        await File.AppendAllTextAsync(Path.Combine(tree.Path, "etc/passwd"), "new:x:1:1::/:/bin/sh\n");
        File.Delete(Path.Combine(tree.Path, "etc/debian_version"));
        TestDirectory.UnmountBelow(tree.Path);

        await using var directory = TestDirectory.Create();
        var layer = directory.Combine("layer.tar");
        var command = $"{ContainerdInstallation.Client} --address {containerd.Address} --namespace {containerd.Namespace} snapshots"
            + $" --snapshotter {snapshotter} diff --media-type application/vnd.oci.image.layer.v1.tar {tree.Key} > {layer}";
        (await ProcessRunner.RunAsync("sh", ["-c", command])).Checked();
        var names = new List<string>();
        await using var reader = new TarReader(File.OpenRead(layer));
        while (await reader.GetNextEntryAsync() is { } entry)
            names.Add(entry.Name);
        return names;
    }
}
