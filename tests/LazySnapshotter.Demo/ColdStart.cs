using System.Diagnostics;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Demo;

// One way to get a container running on a node that has nothing of its image: what it took, from the order to pull
// until the container's first output, and until its end. The layers read lazily after the pull count as well.
internal sealed record ColdStart(string Name, TimeSpan Pull, TimeSpan FirstOutput, long Bytes, int Requests, string Output)
{
    public static async Task<ColdStart> OverlayfsAsync(TestRegistry registry, string reference)
    {
        await using var containerd = await ContainerdProcess.StartAsync();
        return await MeasureAsync("overlayfs", registry, containerd, reference, "overlayfs", () => containerd.PullAsync(reference, "overlayfs"));
    }

    public static async Task<ColdStart> LazyAsync(TestRegistry registry, TestImage image, string reference)
    {
        await using var daemon = LazysnapProcess.Create();
        await using var containerd = await ContainerdProcess.StartAsync(
            new ContainerdOptions { SnapshotterAddress = daemon.Address, SnapshotterRoot = daemon.Root });
        await daemon.StartAsync(containerd.Address);
        await IndexAsync(image, daemon.Root);
        return await MeasureAsync("lazysnap", registry, containerd, reference, ContainerdProcess.PluginName, async () =>
            (await LazysnapProcess.RunAsync("pull", "--containerd", containerd.Address, "-n", containerd.Namespace, reference)).Checked());
    }

    // Whoever publishes the image makes the indexes, next to the registry and once for all nodes; a node gets them
    // before it gets the order to start anything.
    private static async Task IndexAsync(TestImage image, string root)
    {
        await using var publisher = await TestRegistry.StartAsync();
        publisher.Content.AddLayout("python", image.LayoutPath);
        (await LazysnapProcess.RunAsync("index", "build", "--root", root, publisher.Reference("python").ToString())).Checked();
    }

    private static async Task<ColdStart> MeasureAsync(
        string name, TestRegistry registry, ContainerdProcess containerd, string reference, string snapshotter, Func<Task> pull)
    {
        await File.WriteAllTextAsync("/proc/sys/vm/drop_caches", "3");
        registry.ClearLog();
        var started = Stopwatch.GetTimestamp();
        await pull();
        var pulled = Stopwatch.GetElapsedTime(started);
        var run = (await containerd.RunAsync(reference, snapshotter)).Checked();
        return new ColdStart(name, pulled, Stopwatch.GetElapsedTime(started), registry.BytesSent, registry.Requests.Count, run.Output.Trim());
    }
}
