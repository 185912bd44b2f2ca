using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// An index made in one place and published saves every other node from reading the layers.
public sealed class PublishedIndexTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_fresh_node_starts_a_container_lazily_by_the_index_that_another_one_pushed()
    {
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var elsewhere = TestDirectory.Create();
        (await LazysnapProcess.RunAsync("index", "build", "--root", elsewhere.Path, reference)).Checked();
        (await LazysnapProcess.RunAsync("index", "push", "--root", elsewhere.Path, reference)).Checked();
        var listed = (await LazysnapProcess.RunAsync("index", "list", reference)).Checked();
        Assert.Contains("native", listed.Output, StringComparison.Ordinal);

        await using var node = await LazyNode.StartAsync();
        registry.ClearLog();
        var pulled = await node.PullAsync(reference);
        var pullRequests = registry.Requests.Count;
        var run = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();

        output.WriteLine($"{registry.BytesSent} of {image.CompressedBytes} bytes in {registry.Requests.Count} requests, {pullRequests} " +
            $"of them for the pull");
        Assert.StartsWith("numpy ", run.Output, StringComparison.Ordinal);
        Assert.Contains($"{image.Layers.Count} lazy, 0 unpacked", pulled.Output, StringComparison.Ordinal);
        Assert.InRange(registry.BytesSent, 1, image.CompressedBytes * 6 / 10);
        // No layer was asked for as a whole.
        Assert.DoesNotContain(registry.Requests, request =>
            request.Range is null && image.Layers.Any(layer => request.Path.EndsWith(layer.Digest.ToString(), StringComparison.Ordinal)));
    }
}
