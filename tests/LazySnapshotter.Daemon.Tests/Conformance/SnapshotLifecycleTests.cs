using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// containerd's suite, first part: kinds, parents, keys, and what may be removed.
public sealed class SnapshotLifecycleTests : ConformanceTest
{
    [Fact]
    public async Task Basic()
    {
        var initial = Change.All(
            Change.CreateFile("/foo", "foo\n", "777"),
            Change.CreateDirectory("/a", "755"),
            Change.CreateDirectory("/a/b", "755"),
            Change.CreateDirectory("/a/b/c", "755"));
        var difference = Change.All(
            Change.CreateFile("/bar", "bar\n", "777"),
            Change.CreateFile("/foo", "bar\n", "777"),
            Change.RemoveAll("/a/b"));
        var flat = MakeDirectory("flat");

        var preparing = await PrepareMountedAsync("preparing", "");
        initial(preparing);
        TestMounts.Unmount(preparing);

        var committed = Path.Combine(Work, "committed");
        await CommitAsync(committed, preparing);
        var first = await StatAsync(committed);
        Assert.Equal("", first.Parent);
        Assert.Equal(Kind.Committed, first.Kind);
        await AssertStatusAsync(StatusCode.NotFound, () => StatAsync(preparing));

        var next = await PrepareMountedAsync("nextlayer", committed);
        initial(flat);
        Tree.AssertEqual(flat, next);
        difference(next);
        TestMounts.Unmount(next);
        var active = await StatAsync(next);
        Assert.Equal(committed, active.Parent);
        Assert.Equal(Kind.Active, active.Kind);

        var nextCommitted = Path.Combine(Work, "committed-next");
        await CommitAsync(nextCommitted, next);
        var second = await StatAsync(nextCommitted);
        Assert.Equal(committed, second.Parent);
        Assert.Equal(Kind.Committed, second.Kind);
        await AssertStatusAsync(StatusCode.NotFound, () => StatAsync(next));

        var walked = (await WalkAsync()).ToDictionary(info => info.Name);
        Assert.Equal(first, walked[committed]);
        Assert.Equal(second, walked[nextCommitted]);

        var view = MakeDirectory("nextnextlayer");
        TestMounts.MountAll(await ViewAsync(view, nextCommitted), view);
        difference(flat);
        Tree.AssertEqual(flat, view);
        TestMounts.Unmount(view);
        await RemoveAsync(view);

        var e = await AssertStatusAsync(StatusCode.FailedPrecondition, () => RemoveAsync(committed));
        Assert.Contains("remove", e.Status.Detail, StringComparison.Ordinal);
        await RemoveAsync(nextCommitted);
        await RemoveAsync(committed);
    }

    [Fact]
    public async Task StatActive()
    {
        var preparing = await PrepareMountedAsync("preparing", "");
        TestMounts.Unmount(preparing);

        var info = await StatAsync(preparing);
        Assert.Equal((preparing, Kind.Active, ""), (info.Name, info.Kind, info.Parent));
    }

    [Fact]
    public async Task StatComitted()
    {
        var preparing = await PrepareMountedAsync("preparing", "");
        TestMounts.Unmount(preparing);
        var committed = Path.Combine(Work, "committed");
        await CommitAsync(committed, preparing);

        var info = await StatAsync(committed);
        Assert.Equal((committed, Kind.Committed, ""), (info.Name, info.Kind, info.Parent));
    }

    [Fact]
    public async Task TransitivityTest()
    {
        var preparing = await PrepareMountedAsync("preparing", "");
        await File.WriteAllTextAsync(Path.Combine(preparing, "foo"), "foo\n");
        TestMounts.Unmount(preparing);
        var snapA = Path.Combine(Work, "snapA");
        await CommitAsync(snapA, preparing);

        var next = await PrepareMountedAsync("next", snapA);
        await File.WriteAllTextAsync(Path.Combine(next, "foo"), "foo bar\n");
        TestMounts.Unmount(next);
        var snapB = Path.Combine(Work, "snapB");
        await CommitAsync(snapB, next);

        var infoB = await StatAsync(snapB);
        Assert.Equal("", (await StatAsync(snapA)).Parent);
        Assert.Equal(snapA, infoB.Parent);
        Assert.Equal("", (await StatAsync(infoB.Parent)).Parent);
    }

    [Fact]
    public async Task PreareViewFailingtest()
    {
        var preparing = await PrepareMountedAsync("preparing", "");
        TestMounts.Unmount(preparing);
        var snapA = Path.Combine(Work, "snapA");
        await CommitAsync(snapA, preparing);

        await PrepareAsync("newlayer", snapA);
        await AssertStatusAsync(StatusCode.AlreadyExists, () => ViewAsync("newlayer", snapA));
        await PrepareAsync("preplayer", snapA);
        await AssertStatusAsync(StatusCode.AlreadyExists, () => PrepareAsync("preplayer", snapA));
        await ViewAsync("viewlayer", snapA);
        await AssertStatusAsync(StatusCode.AlreadyExists, () => ViewAsync("viewlayer", snapA));
    }

    [Fact]
    public async Task Remove()
    {
        await PrepareAsync("committed-a", "");
        await CommitAsync("committed-1", "committed-a");
        await PrepareAsync("reuse-1", "committed-1");
        await RemoveAsync("reuse-1");
        await ViewAsync("reuse-1", "committed-1");
        await RemoveAsync("reuse-1");
        await PrepareAsync("reuse-1", "");
        await RemoveAsync("committed-1");
        await CommitAsync("committed-1", "reuse-1");
    }

    [Fact]
    public async Task RemoveIntermediateSnapshot()
    {
        var lowest = await PrepareMountedAsync("base", "");
        TestMounts.Unmount(lowest);
        await CommitAsync("committed-base", lowest);
        await PrepareAsync("intermediate", "committed-base");
        await CommitAsync("committed-inter", "intermediate");
        await PrepareAsync("toplayer", "committed-inter");

        await AssertStatusAsync(StatusCode.FailedPrecondition, () => RemoveAsync("committed-inter"));
        await RemoveAsync("toplayer");
        await RemoveAsync("committed-inter");
        await RemoveAsync("committed-base");
    }

    [Fact]
    public async Task CloseTwice()
    {
        await PrepareAsync("prepare", "");
        await CommitAsync("committed", "prepare");
        await RemoveAsync("committed");

        await Snapshotter.DisposeAsync();
        await Snapshotter.DisposeAsync();
        Channel.Dispose();
        Channel.Dispose();
        await Server.DisposeAsync();
        await Server.DisposeAsync();
    }
}
