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
        await using var node = await LazyNode.StartAsync();
        await IndexAsync(image, node);
        return await MeasureAsync("lazysnap", registry, node.Containerd, reference, LazyNode.Snapshotter, () => node.PullAsync(reference));
    }

    // Whoever publishes the image makes the indexes, next to the registry and once for all nodes; a node gets them
    // before it gets the order to start anything.
    private static async Task IndexAsync(TestImage image, LazyNode node)
    {
        await using var publisher = await TestRegistry.StartAsync();
        publisher.Content.AddLayout("python", image.LayoutPath);
        await node.IndexAsync(publisher.Reference("python").ToString());
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
