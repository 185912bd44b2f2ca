using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// The images that containerd would say it has, by the chain ID asked for.
internal sealed class FakeImages : ISnapshotImages
{
    public Dictionary<string, IReadOnlyList<RemoteImage>?> OnChain { get; } = [];

    public Task<IReadOnlyList<RemoteImage>?> FindAsync(string chain, CancellationToken cancellationToken) =>
        Task.FromResult(OnChain.GetValueOrDefault(chain));
}
