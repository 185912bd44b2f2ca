using Grpc.Core;
using LazySnapshotter.Daemon.Tests.Conformance;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Daemon.Tests.Snapshots;

// What the service adds to the snapshotter: batches and status codes.
public sealed class SnapshotsServiceTests : ConformanceTest
{
    [Fact]
    public async Task List_comes_in_batches_of_at_most_100()
    {
        for (var i = 0; i < 205; i++)
            await ViewAsync($"v{i}", "");
        var batches = new List<int>();
        using var call = Client.List(new());
        await foreach (var batch in call.ResponseStream.ReadAllAsync())
            batches.Add(batch.Info.Count);
        Assert.Equal([100, 100, 5], batches);
    }

    [Fact]
    public async Task Empty_list_is_no_error() => Assert.Empty(await WalkAsync());

    [Fact]
    public async Task Bad_requests_are_told_with_their_status()
    {
        await PrepareAsync("active", "");
        await AssertStatusAsync(StatusCode.InvalidArgument, () => PrepareAsync("", ""));
        await AssertStatusAsync(StatusCode.InvalidArgument, () => PrepareAsync("k", "active"));
        await AssertStatusAsync(StatusCode.NotFound, () => PrepareAsync("k", "nobody"));
        await AssertStatusAsync(StatusCode.NotFound, () => CommitAsync("c", "nobody"));
        await AssertStatusAsync(StatusCode.NotFound, () => RemoveAsync("nobody"));
        await AssertStatusAsync(StatusCode.InvalidArgument, async () => await Client.UpdateAsync(new()));
        await AssertStatusAsync(StatusCode.NotFound, () => UpdateAsync(new() { Name = "nobody" }));
        await AssertStatusAsync(StatusCode.NotFound, async () => await Client.MountsAsync(new() { Key = "nobody" }));
        await AssertStatusAsync(StatusCode.NotFound, async () => await Client.UsageAsync(new() { Key = "nobody" }));
        var e = await AssertStatusAsync(StatusCode.InvalidArgument, () => WalkAsync("name=x"));
        Assert.Contains("name >|=|< x", e.Status.Detail, StringComparison.Ordinal);
        await CommitAsync("committed", "active");
        await AssertStatusAsync(StatusCode.FailedPrecondition, async () => await Client.MountsAsync(new() { Key = "committed" }));
        await AssertStatusAsync(StatusCode.FailedPrecondition, () => CommitAsync("again", "committed"));
    }

    [Fact]
    public async Task Usage_and_cleanup_answer()
    {
        var mount = Assert.Single(await PrepareAsync("k", ""));
        await File.WriteAllBytesAsync(Path.Combine(mount.Source, "file"), new byte[100_000]);
        var usage = await Client.UsageAsync(new() { Key = "k" });
        Assert.Equal(2, usage.Inodes);
        Assert.InRange(usage.Size, 100_000, 200_000);

        await RemoveAsync("k");
        await Client.CleanupAsync(new());
        Assert.False(Directory.Exists(Path.GetDirectoryName(mount.Source)));
    }

    [Fact]
    public async Task Snapshot_removed_while_it_is_mounted_goes_when_it_is_unmounted()
    {
        var mountPoint = await PrepareMountedAsync("busy", "");
        await RemoveAsync(mountPoint);
        await Client.CleanupAsync(new());
        Assert.Equal(Errno.None, Libc.Unmount(mountPoint, UnmountFlags.None));
        await PrepareAsync(mountPoint, "");
    }
}
