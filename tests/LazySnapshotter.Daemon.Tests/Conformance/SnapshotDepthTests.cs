namespace LazySnapshotter.Daemon.Tests.Conformance;

// containerd's suite, last part: a stack so deep that its mount options do not fit the kernel's page of them.
public sealed class SnapshotDepthTests : ConformanceTest
{
    private const int LayerCount = 128;

    [Fact(DisplayName = "128LayersMount")]
    public async Task Mount_of_128_layers()
    {
        var changes = new List<TreeChange>
        {
            Change.All(
                Change.CreateFile("/bottom", "way at the bottom\n", "777"),
                Change.CreateFile("/overwriteme", "FIRST!\n", "777"),
                Change.CreateDirectory("/addhere", "755"),
                Change.CreateDirectory("/onlyme", "755"),
                Change.CreateFile("/onlyme/bottom", "bye!\n", "777")),
        };
        for (var i = 1; i < LayerCount; i++)
        {
            changes.Add(Change.All(
                Change.CreateFile("/overwriteme", $"{i} WAS HERE!\n", "777"),
                Change.CreateFile($"/addhere/file-{i}", "same\n", "755"),
                Change.RemoveAll("/onlyme"),
                Change.CreateDirectory("/onlyme", "755"),
                Change.CreateFile($"/onlyme/file-{i}", "only me!\n", "777")));
        }

        var flat = MakeDirectory("flat");
        var parent = "";
        for (var i = 0; i < changes.Count; i++)
        {
            var preparing = await PrepareMountedAsync($"prepare-layer-{i}", parent);
            Tree.AssertEqual(flat, preparing);
            changes[i](flat);
            changes[i](preparing);
            Tree.AssertEqual(flat, preparing);
            TestMounts.Unmount(preparing);
            parent = Path.Combine(Work, $"committed-{i}");
            await CommitAsync(parent, preparing);
        }

        var view = MakeDirectory("fullview");
        TestMounts.MountAll(await ViewAsync(view, parent), view);
        Tree.AssertEqual(flat, view);
        TestMounts.Unmount(view);
    }
}
