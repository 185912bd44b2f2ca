using Containerd.Services.Snapshots.V1;
using Grpc.Core;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// containerd's suite, second part: what is told of snapshots, and changing it.
public sealed class SnapshotInfoTests : ConformanceTest
{
    [Fact]
    public async Task Update()
    {
        var before = DateTime.UtcNow;
        await MakeSnapshotsAsync("");
        var after = DateTime.UtcNow;

        foreach (var (name, kind, parent) in new[]
        {
            ("c1", Kind.Committed, ""), ("c2", Kind.Committed, "c1"), ("a1", Kind.Active, "c2"),
            ("a2", Kind.Active, ""), ("v1", Kind.View, "c2"), ("v2", Kind.View, ""),
        })
        {
            var info = await StatAsync(name);
            Assert.InRange(info.CreatedAt.ToDateTime(), before, after);
            Assert.Equal(info.CreatedAt, info.UpdatedAt);
            AssertUnchanged(info);

            // Without a field mask: all labels, nothing else.
            var created = info.CreatedAt;
            var labels = new Dictionary<string, string> { ["l1"] = "v1", ["l2"] = "v2", ["l3"] = "v3", ["containerd.io/gc.root"] = "now" };
            info.Parent = "doesnotexist";
            info.Labels.Clear();
            info.Labels.Add(labels);
            var updating = DateTime.UtcNow;
            info = await UpdateAsync(info);
            Assert.Equal(created, info.CreatedAt);
            Assert.InRange(info.UpdatedAt.ToDateTime(), updating, DateTime.UtcNow);
            AssertUnchanged(info);
            AssertLabels(labels, info);

            // Single labels: one changed, one not given and therefore removed, one not named and therefore ignored.
            info.Labels.Clear();
            info.Labels.Add(new Dictionary<string, string> { ["l1"] = "updated", ["l4"] = "v4" });
            info = await UpdateAsync(info, "labels.l1", "labels.l2");
            AssertLabels(new() { ["l1"] = "updated", ["l3"] = "v3", ["containerd.io/gc.root"] = "now" }, info);

            labels = new() { ["l4"] = "v4", ["containerd.io/gc.root"] = "now" };
            info.Labels.Clear();
            info.Labels.Add(labels);
            info = await UpdateAsync(info, "labels");
            AssertLabels(labels, info);

            info.Parent = "doesnotexist";
            await AssertStatusAsync(StatusCode.InvalidArgument, () => UpdateAsync(info, "parent"));

            void AssertUnchanged(Info actual) => Assert.Equal((name, kind, parent), (actual.Name, actual.Kind, actual.Parent));
        }
    }

    [Fact]
    public async Task Walk()
    {
        var label = new Dictionary<string, string> { ["containerd.io/gc.root"] = "check-walk" };
        Dictionary<string, string> With(string value) => new(label) { ["l"] = value };
        await PrepareAsync("a-np", "", label);
        await PrepareAsync("p-tmp", "", label);
        await CommitAsync("p", "p-tmp", label);
        await PrepareAsync("a", "p", label);
        await ViewAsync("v", "p", label);
        await PrepareAsync("p-wl-tmp", "", label);
        await CommitAsync("p-wl", "p-wl-tmp", With("1"));
        await PrepareAsync("a-wl", "p-wl", With("2"));
        await ViewAsync("v-wl", "p-wl", With("3"));
        await PrepareAsync("a-np-wl", "", With("2"));

        const string Root = "labels.\"containerd.io/gc.root\"==check-walk";
        await AssertWalkAsync(["a-np", "p", "a", "v", "p-wl", "a-wl", "v-wl", "a-np-wl"], Root);
        await AssertWalkAsync(["a-np", "a", "a-wl", "a-np-wl"], "kind==active," + Root);
        await AssertWalkAsync(["v", "v-wl"], "kind==view," + Root);
        await AssertWalkAsync(["p", "p-wl"], "kind==committed," + Root);
        await AssertWalkAsync(["p", "a-np-wl"], "name==p", "name==a-np-wl");
        await AssertWalkAsync(["a-wl"], "name==a-wl,labels.l");
        await AssertWalkAsync(["a", "v"], "parent==p");
        await AssertWalkAsync(["a", "v", "a-wl", "v-wl"], "parent!=\"\"," + Root);
        await AssertWalkAsync(["p-wl", "a-wl", "v-wl", "a-np-wl"], "labels.l");
        await AssertWalkAsync(["a-wl", "a-np-wl"], "labels.l==2");
    }

    [Fact]
    public async Task StatInWalk()
    {
        await MakeSnapshotsAsync("stats-in-walk-");
        using var call = Client.List(new());
        await foreach (var batch in call.ResponseStream.ReadAllAsync())
        {
            foreach (var info in batch.Info)
                Assert.Equal(info, await StatAsync(info.Name));
        }
    }

    private async Task MakeSnapshotsAsync(string prefix)
    {
        await PrepareAsync(prefix + "c1-a", "");
        await CommitAsync(prefix + "c1", prefix + "c1-a");
        await PrepareAsync(prefix + "c2-a", prefix + "c1");
        await CommitAsync(prefix + "c2", prefix + "c2-a");
        await PrepareAsync(prefix + "a1", prefix + "c2");
        await PrepareAsync(prefix + "a2", "");
        await ViewAsync(prefix + "v1", prefix + "c2");
        await ViewAsync(prefix + "v2", "");
    }

    private async Task AssertWalkAsync(string[] expected, params string[] filters) =>
        Assert.Equal(
            expected.Order(StringComparer.Ordinal), (await WalkAsync(filters)).Select(info => info.Name).Order(StringComparer.Ordinal));

    private static void AssertLabels(Dictionary<string, string> expected, Info actual) =>
        Assert.Equal(expected.OrderBy(label => label.Key), actual.Labels.OrderBy(label => label.Key));
}
