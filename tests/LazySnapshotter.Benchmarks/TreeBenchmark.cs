using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.Benchmarks;

// The same image through our mount and unpacked by containerd's overlayfs snapshotter, everything on the node: what
// FUSE costs once the network is out of the way. "Warm" is what the kernel has cached; "cold" is after drop_caches.
internal static class TreeBenchmark
{
    public static async Task RunAsync(TestImage image)
    {
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("image", image.LayoutPath);
        var reference = registry.Reference("image").ToString();
        await using var node = await LazyNode.StartAsync();
        await node.PullAsync(reference);
        await node.Containerd.PullAsync(reference, "overlayfs");
        await using var lazy = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);
        await using var unpacked = await node.Containerd.MountImageAsync(image, "overlayfs");

        await Comparison.TimeAsync("stat every path, warm | overlayfs", () => StatAsync(lazy.Path), () => StatAsync(unpacked.Path));
        await Comparison.TimeAsync("stat every path, cold | overlayfs", () =>
            ColdAsync(() => StatAsync(lazy.Path)), () => ColdAsync(() => StatAsync(unpacked.Path)));
        await Comparison.TimeAsync("read every file, warm | overlayfs", () => ReadAsync(lazy.Path), () => ReadAsync(unpacked.Path));
        await Comparison.TimeAsync("read every file, cold | overlayfs", () =>
            ColdAsync(() => ReadAsync(lazy.Path)), () => ColdAsync(() => ReadAsync(unpacked.Path)));
    }

    private static Task StatAsync(string root)
    {
        Tree.List(root);
        return Task.CompletedTask;
    }

    private static Task ReadAsync(string root)
    {
        Tree.Read(new LinuxPath(root));
        return Task.CompletedTask;
    }

    private static async Task ColdAsync(Func<Task> work)
    {
        await File.WriteAllTextAsync("/proc/sys/vm/drop_caches", "3");
        await work();
    }
}
