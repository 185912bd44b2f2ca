using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Daemon.Tests.Snapshots;

// A mounter to which every layer is the same empty directory.
internal sealed class OneLayer(string directory) : ILayerMounter
{
    public void Announce(RemoteImage image)
    {
    }

    public Task<MountedLayer> MountAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken) =>
        Task.FromResult(new MountedLayer(1, directory));

    public Task<MountedLayer> MountVerifiedAsync(
        RemoteImage image, LayerClaim claim, IReadOnlyList<string> lowerDirectories, CancellationToken cancellationToken) =>
        MountAsync(image, claim, lowerDirectories, cancellationToken);

    public bool IsVerified(long layerId) => true;

    public Task<string?> AdmitAsync(long layerId, IReadOnlyList<RemoteImage> images, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);

    public Task<IReadOnlyList<Digest>> LayersOfAsync(RemoteImage image, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Digest>>([]);

    public string DirectoryOf(long layerId) => directory;

    public LayerUsage UsageOf(long layerId) => default;

    public Task ReleaseAsync(long layerId, CancellationToken cancellationToken) => Task.CompletedTask;
}
