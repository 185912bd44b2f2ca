using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// An image's tree, mounted from an active snapshot as a container's root would be.
public sealed class MountedImage(Func<Task<ProcessResult>> remove, string key, string path) : IAsyncDisposable
{
    public string Path => path;

    /// <summary>What containerd calls the snapshot.</summary>
    public string Key => key;

    public async ValueTask DisposeAsync()
    {
        TestDirectory.UnmountBelow(path);
        (await remove()).Checked();
    }
}
