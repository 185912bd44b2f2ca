using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Indexes;
using LazySnapshotter.TestSupport.Registry;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// What moves over the link, counted by the registry.
public sealed class LinkTests(ITestOutputHelper output)
{
    private const long SmallFileBytes = 4096;
    private const long LargeLayerBytes = 100_000_000;

    [Fact]
    public async Task One_small_file_out_of_a_100_MB_layer_moves_less_than_1500_KB()
    {
        var image = await TestImages.Java;
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("java", image.LayoutPath);
        var reference = registry.Reference("java").ToString();
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);
        var path = SmallFileOfTheLargestLayer(image, node.Daemon.Root);
        await node.PullAsync(reference);
        registry.ClearLog();

        await using var tree = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);
        var content = await File.ReadAllBytesAsync(tree.Path + path);

        output.WriteLine($"{path}: {content.Length} bytes read, {registry.BytesSent} moved in {registry.Requests.Count} requests");
        Assert.NotEmpty(content);
        Assert.InRange(registry.BytesSent, content.Length / 10, 1_500_000);
    }

    [Fact]
    public async Task A_container_that_imports_numpy_moves_less_than_half_of_its_image()
    {
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);
        registry.ClearLog();

        await node.PullAsync(reference);
        var run = (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();

        output.WriteLine($"{registry.BytesSent} of {image.CompressedBytes} bytes in {registry.Requests.Count} requests");
        Assert.StartsWith("numpy ", run.Output, StringComparison.Ordinal);
        Assert.InRange(registry.BytesSent, 1, image.CompressedBytes / 2);
    }

    [Fact]
    public async Task A_layer_without_an_index_streams_in_once_and_is_lazy_for_every_later_start()
    {
        var image = await TestImages.Python;
        await using var registry = await TestRegistry.StartAsync();
        registry.Content.AddLayout("python", image.LayoutPath);
        var reference = registry.Reference("python").ToString();
        await using var node = await LazyNode.StartAsync();

        var pulled = await node.PullAsync(reference);
        Assert.Contains("4 lazy, 0 unpacked", pulled.Output, StringComparison.Ordinal);
        Assert.All(image.Layers, layer =>
            Assert.Single(registry.Requests, request => request.Path.EndsWith(layer.Digest.ToString(), StringComparison.Ordinal)));
        registry.ClearLog();

        // Everything is here: the start asks the registry for nothing.
        (await node.Containerd.RunAsync(reference, LazyNode.Snapshotter)).Checked();
        Assert.Empty(registry.Requests);

        // The bytes go with the image, the indexes stay: the next start is lazy from the first byte.
        (await node.Containerd.CtrAsync("images", "rm", "--sync", reference)).Checked();
        await node.PullAsync(reference);
        Assert.True(registry.BytesSent < image.CompressedBytes / 20, $"{registry.BytesSent} bytes moved by the second pull");
    }

    // A file in the middle of the layer, so that neither end of the blob is a special case.
    private static string SmallFileOfTheLargestLayer(TestImage image, string root)
    {
        var largest = image.Layers.MaxBy(layer => layer.Size)!;
        Assert.True(largest.Size > LargeLayerBytes, $"the largest layer has {largest.Size} bytes");
        using var index = LayerIndex.Open(IndexFiles.Of(root, largest.Digest), largest.Digest);
        var entry = Enumerable.Range(1, index.Toc.Count - 1)
            .Where(entry => index.Toc[entry] is { Type: TocEntryType.File, Size: > 0 and < SmallFileBytes })
            .MinBy(entry => Math.Abs(index.Toc.Extents(entry)[0].UncompressedOffset - (index.Spans.UncompressedLength / 2)));
        return "/" + System.Text.Encoding.UTF8.GetString(index.Toc.PathOf(entry));
    }
}
