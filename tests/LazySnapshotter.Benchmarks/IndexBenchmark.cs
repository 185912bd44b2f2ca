using LazySnapshotter.Layers.Build;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Benchmarks;

// Indexing a real layer of more than 100 MB (one pass: inflate, tar, two SHA-256, windows) beside gzip(1) and beside
// what unpacking needs at least, gzip -dc | tar -t.
internal static class IndexBenchmark
{
    public static async Task RunAsync(TestImage image)
    {
        var layer = image.Layers.MaxBy(layer => layer.Size)!;
        var blob = Path.Combine(image.LayoutPath, "blobs", layer.Digest.Algorithm, layer.Digest.Hex);
        await using var directory = TestDirectory.Create();
        var index = directory.Combine("index.lsi");

        async Task BuildAsync()
        {
            await using var stream = File.OpenRead(blob);
            await LayerIndexBuilder.BuildAsync(stream, index, new LayerIndexOptions(), CancellationToken.None);
        }

        await Comparison.TimeAsync("index a layer | gzip -dc", BuildAsync, () => ShellAsync($"gzip -dc '{blob}' > /dev/null"));
        await Comparison.TimeAsync(
            "index a layer | gzip -dc | tar -t", BuildAsync, () => ShellAsync($"gzip -dc '{blob}' | tar -t > /dev/null"));
        Comparison.Size("index | layer", new FileInfo(index).Length, layer.Size);
    }

    private static async Task ShellAsync(string command) => (await ProcessRunner.RunAsync("sh", ["-c", command])).Checked();
}
