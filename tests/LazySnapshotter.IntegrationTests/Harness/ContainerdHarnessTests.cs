using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.IntegrationTests.Harness;

// The ground the other integration tests stand on, with containerd's own overlayfs and without our plugin: images are
// pulled from a real registry, containers run, two unpackings of one image are the same tree, nothing is left behind.
public sealed class ContainerdHarnessTests
{
    private const string Overlayfs = "overlayfs";

    [Fact]
    public async Task The_python_image_runs_and_prints_numpys_version()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await using var containerd = await ContainerdProcess.StartAsync();
        var reference = await registry.PushAsync(await TestImages.Python);
        await containerd.PullAsync(reference, Overlayfs);

        var result = (await containerd.RunAsync(reference, Overlayfs)).Checked();

        Assert.Matches("^numpy [0-9.]+ determinant -?[0-9.]+\n$", result.Output);
    }

    [Theory]
    [InlineData("quirks", "^perl 5[.][0-9]+, [0-9]+ quirks\n$")]
    [InlineData("java", "^first commit\nopenjdk version .*\n$")]
    public async Task Every_image_has_a_command_that_means_something(string name, string output)
    {
        await using var registry = await DockerRegistry.StartAsync();
        await using var containerd = await ContainerdProcess.StartAsync();
        var reference = await registry.PushAsync(await TestImages.GetAsync(name));
        await containerd.PullAsync(reference, Overlayfs);

        var result = (await containerd.RunAsync(reference, Overlayfs)).Checked();

        Assert.Matches(output, result.Output);
    }

    // Two daemons, because one daemon would unpack only once. If this failed, no other comparison would mean anything.
    [Theory]
    [InlineData("python")]
    [InlineData("quirks")]
    public async Task Two_unpackings_of_an_image_are_the_same_tree(string name)
    {
        var image = await TestImages.GetAsync(name);
        await using var registry = await DockerRegistry.StartAsync();
        var reference = await registry.PushAsync(image);
        await using var first = await ContainerdProcess.StartAsync();
        await using var second = await ContainerdProcess.StartAsync();
        await first.PullAsync(reference, Overlayfs);
        await second.PullAsync(reference, Overlayfs);
        await using var firstMount = await first.MountImageAsync(image, Overlayfs);
        await using var secondMount = await second.MountImageAsync(image, Overlayfs);

        var tree = Tree.Read(firstMount.Path);
        var differences = TreeComparer.Compare(tree, Tree.Read(secondMount.Path), image.DirectoriesWithoutRecordedTime);

        Assert.True(tree.Entries.Count > 5000, $"only {tree.Entries.Count} paths");
        Assert.Empty(differences);
    }

    [Fact]
    public async Task A_running_container_is_seen_from_outside_and_runs_commands()
    {
        await using var registry = await DockerRegistry.StartAsync();
        await using var containerd = await ContainerdProcess.StartAsync();
        var reference = await registry.PushAsync(await TestImages.Python);
        await containerd.PullAsync(reference, Overlayfs);

        await using var container = await containerd.StartContainerAsync(reference, Overlayfs, "sleep", "600");
        var executed = (await container.ExecAsync("cat", "/etc/debian_version")).Checked();

        Assert.Equal(await File.ReadAllTextAsync(container.RootPath + "/etc/debian_version"), executed.Output);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_containerd_that_ended_with_a_container_running()
    {
        await using var registry = await DockerRegistry.StartAsync();
        int processId;
        string address;
        await using (var containerd = await ContainerdProcess.StartAsync())
        {
            var reference = await registry.PushAsync(await TestImages.Python);
            await containerd.PullAsync(reference, Overlayfs);
            var container = await containerd.StartContainerAsync(reference, Overlayfs, "sleep", "600");
            (processId, address) = (container.ProcessId, containerd.Address);

            // Not even an orderly end.
            await containerd.StopAsync();
            Assert.True(Directory.Exists($"/proc/{processId}"), "the container should have survived its containerd");
        }

        var folder = Path.GetDirectoryName(address)!;
        Assert.False(IsRunning(processId), "the container still runs");
        Assert.False(Directory.Exists(folder), $"{folder} is still there");
        Assert.DoesNotContain(MountTable.Read(), mount => mount.MountPoint.ToString().StartsWith(folder, StringComparison.Ordinal));
    }

    // A killed process may wait a moment, dead, for its parent to take notice.
    private static bool IsRunning(int processId)
    {
        var file = $"/proc/{processId}/stat";
        for (var i = 0; i < 100; i++)
        {
            if (!File.Exists(file) || File.ReadAllText(file).Split(") ")[1].StartsWith('Z'))
                return false;
            Thread.Sleep(20);
        }

        return true;
    }
}
