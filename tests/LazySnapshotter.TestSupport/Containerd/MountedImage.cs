using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// An image's tree, mounted from an active snapshot as a container's root would be.
public sealed class MountedImage(Func<Task<ProcessResult>> remove, string path) : IAsyncDisposable
{
    public string Path => path;

    public async ValueTask DisposeAsync()
    {
        TestDirectory.UnmountBelow(path);
        (await remove()).Checked();
    }
}
