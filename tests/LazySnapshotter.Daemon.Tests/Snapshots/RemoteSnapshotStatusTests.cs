using Grpc.Core;
using LazySnapshotter.Daemon.Tests.Conformance;
using LazySnapshotter.Oci;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Daemon.Tests.Snapshots;

// What containerd's protocol for remote snapshots asks for: the success of a layer that need not be unpacked is a status.
public sealed class RemoteSnapshotStatusTests : ConformanceTest
{
    private static readonly Dictionary<string, string> Labels = new()
    {
        [SnapshotLabels.SnapshotRef] = "sha256:chain",
        [SnapshotLabels.ImageReference] = "registry.example/app:1",
        [SnapshotLabels.LayerDigest] = Digest.OfSha256([1]).ToString(),
    };

    [Fact]
    public async Task A_layer_that_is_there_and_a_key_that_is_taken_have_one_status_and_two_texts()
    {
        for (var i = 0; i < 2; i++) // made now, found then
        {
            var there = await AssertStatusAsync(StatusCode.AlreadyExists, () => PrepareAsync($"k{i}", "", Labels));
            Assert.Equal("target snapshot \"sha256:chain\": already exists", there.Status.Detail);
        }

        Assert.Equal(["sha256:chain"], (await WalkAsync()).Select(info => info.Name));
        await PrepareAsync("container", "sha256:chain");
        var taken = await AssertStatusAsync(StatusCode.AlreadyExists, () => PrepareAsync("container", "", Labels));
        Assert.Equal("snapshot \"container\": already exists", taken.Status.Detail);
    }

    protected override ILayerMounter CreateMounter() => new OneLayer(MakeDirectory("layer"));
}
