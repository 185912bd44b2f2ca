using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// The central promise: what a container sees of an image that was never unpacked is what it would see unpacked.
public sealed class TreeTests(ITestOutputHelper output)
{
    private const int DifferencesShown = 40;

    [Theory]
    [InlineData("python")]
    [InlineData("quirks")]
    [InlineData("java")]
    public async Task A_lazy_image_shows_the_tree_that_overlayfs_shows(string name)
    {
        var image = await TestImages.GetAsync(name);
        await using var registry = await DockerRegistry.StartAsync();
        var reference = await registry.PushAsync(image);
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);

        var pulled = await node.PullAsync(reference);
        Assert.Contains(" 0 unpacked", pulled.Output, StringComparison.Ordinal);
        await node.Containerd.PullAsync(reference, "overlayfs");

        await using var unpacked = await node.Containerd.MountImageAsync(image, "overlayfs");
        await using var lazy = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);
        var expected = Tree.Read(unpacked.Path);
        var actual = Tree.Read(lazy.Path);
        output.WriteLine($"{name}: {expected.Entries.Count} paths");

        var differences = TreeComparer.Compare(expected, actual, image.DirectoriesWithoutRecordedTime);
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences.Take(DifferencesShown))}");
        Assert.True(expected.Entries.Count > 1000, "the image has hardly any files: not a test");
    }
}
