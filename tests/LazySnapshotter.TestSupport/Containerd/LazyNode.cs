using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// A node as users have it: containerd with our daemon as its plugin, both processes of their own.
public sealed class LazyNode : IAsyncDisposable
{
    public const string Snapshotter = ContainerdProcess.PluginName;

    private LazyNode(LazysnapProcess daemon, ContainerdProcess containerd)
    {
        Daemon = daemon;
        Containerd = containerd;
    }

    public LazysnapProcess Daemon { get; }

    public ContainerdProcess Containerd { get; }

    /// <param name="configuration">The daemon's configuration file.</param>
    /// <param name="cri">With Kubernetes' interface.</param>
    public static Task<LazyNode> StartAsync(string? configuration = null, bool cri = false) =>
        StartAsync(new ContainerdOptions { Cri = cri }, configuration);

    /// <param name="options">Of containerd; where its plugin is found is filled in.</param>
    /// <param name="configuration">The daemon's configuration file.</param>
    public static async Task<LazyNode> StartAsync(ContainerdOptions options, string? configuration = null)
    {
        var daemon = LazysnapProcess.Create();
        ContainerdProcess? containerd = null;
        try
        {
            containerd = await ContainerdProcess.StartAsync(
                options with { SnapshotterAddress = daemon.Address, SnapshotterRoot = daemon.Root });
            await daemon.StartAsync(containerd.Address, configuration);
            // containerd, which was first, may have given up connecting for the moment
            await containerd.WaitForSnapshotterAsync(Snapshotter);
            return new LazyNode(daemon, containerd);
        }
        catch
        {
            if (containerd is not null)
                await containerd.DisposeAsync();
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Indexes an image's layers into this node's store; nothing else of them stays here.</summary>
    public async Task IndexAsync(string reference) =>
        (await LazysnapProcess.RunAsync("index", "build", "--root", Daemon.Root, reference)).Checked();

    public async Task<ProcessResult> PullAsync(string reference) =>
        (await LazysnapProcess.RunAsync("pull", "--containerd", Containerd.Address, "-n", Containerd.Namespace, reference)).Checked();

    public async ValueTask DisposeAsync()
    {
        await Containerd.DisposeAsync();
        await Daemon.DisposeAsync();
    }
}
