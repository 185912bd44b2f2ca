namespace LazySnapshotter.Snapshots.Model;

// Which images containerd has. A container's snapshot is prepared on a chain ID, and nothing in the request says of which
// image; who must know asks here.
public interface ISnapshotImages
{
    /// <summary>The images of all namespaces whose layers pass through a chain ID, each with its manifest.</summary>
    /// <returns>Null if containerd cannot be asked now.</returns>
    Task<IReadOnlyList<RemoteImage>?> FindAsync(string chain, CancellationToken cancellationToken);
}
