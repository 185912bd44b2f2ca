using System.Diagnostics;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Demo;

// One way to get a container running on a node that has nothing of its image: what it took, from the order to pull
// until the container's first output, and until its end. The layers read lazily after the pull count as well.
internal sealed record ColdStart(string Name, TimeSpan Pull, TimeSpan FirstOutput, TimeSpan End, Traffic Traffic, string Output)
{
    // See ContainerdProcess.RunAsync: seen once.
    private const int SilentRunsMax = 3;

    public static Task<ColdStart> OverlayfsAsync(TestRegistry registry, string reference) => NotSilentAsync(async () =>
    {
        await using var containerd = await ContainerdProcess.StartAsync();
        return await MeasureAsync("overlayfs", registry, containerd, reference, "overlayfs", () =>
            containerd.PullAsync(reference, "overlayfs", plainHttp: !registry.Options.Tls));
    });

    public static Task<ColdStart> LazyAsync(TestRegistry registry, string reference) => NotSilentAsync(async () =>
    {
        await using var node = await LazyNode.StartAsync();
        return await MeasureAsync("lazysnap", registry, node.Containerd, reference, LazyNode.Snapshotter, () => node.PullAsync(reference));
    });

    /// <summary>What whoever publishes the image does, once for all nodes: makes the indexes and puts them beside it.</summary>
    public static async Task PublishIndexAsync(string reference)
    {
        await using var directory = TestSupport.Processes.TestDirectory.Create();
        (await LazysnapProcess.RunAsync("index", "build", "--root", directory.Path, reference)).Checked();
        (await LazysnapProcess.RunAsync("index", "push", "--root", directory.Path, reference)).Checked();
    }

    internal static async Task<ColdStart> MeasureAsync(
        string name, TestRegistry registry, ContainerdProcess containerd, string reference, string snapshotter, Func<Task> pull)
    {
        await File.WriteAllTextAsync("/proc/sys/vm/drop_caches", "3");
        registry.ClearLog();
        var started = Stopwatch.GetTimestamp();
        await pull();
        var pulled = Stopwatch.GetElapsedTime(started);
        var run = await ContainerRun.RunAsync(containerd, reference, snapshotter);
        return new ColdStart(
            name, pulled, Stopwatch.GetElapsedTime(started, run.FirstOutputAt), Stopwatch.GetElapsedTime(started, run.EndedAt),
            Traffic.Of(registry, started), run.Output);
    }

    internal static async Task<ColdStart> NotSilentAsync(Func<Task<ColdStart>> measure)
    {
        for (var run = 1; ; run++)
        {
            var start = await measure();
            if (start.Output.Length > 0 || run == SilentRunsMax)
                return start;
        }
    }
}
