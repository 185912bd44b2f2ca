using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Containerd;

// An image's tree, mounted from a view snapshot.
public sealed class MountedImage(ContainerdProcess containerd, string snapshotter, string path) : IAsyncDisposable
{
    public string Path => path;

    public async ValueTask DisposeAsync()
    {
        TestDirectory.UnmountBelow(path);

        // ctr names the view after its target, and keeps it alive with a lease of the same name.
        (await containerd.CtrAsync("snapshots", "--snapshotter", snapshotter, "remove", path)).Checked();
        (await containerd.CtrAsync("leases", "delete", path)).Checked();
    }
}
