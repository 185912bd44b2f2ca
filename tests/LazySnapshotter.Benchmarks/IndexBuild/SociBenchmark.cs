using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Soci;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// Indexing a real layer beside `soci create`: program beside program, each from its start to its end, each with nothing
// kept from before. Ours reads the layer from a file, soci has it in containerd's content store, which is a file too.
internal static class SociBenchmark
{
    private const int LayerCount = 2;

    public static async Task RunAsync(TestImage image)
    {
        await using var containerd = await ContainerdProcess.StartAsync();
        await using var directory = TestDirectory.Create();
        Console.WriteLine($"{"",-44}{"ours",10}{"soci",10}{"ours/soci",11}");
        foreach (var layer in image.Layers.OrderByDescending(layer => layer.Size).Take(LayerCount))
        {
            var blob = Path.Combine(image.LayoutPath, "blobs", layer.Digest.Algorithm, layer.Digest.Hex);
            var reference = await LayerImage.ImportAsync(containerd, layer.Digest.Hex[..12], await File.ReadAllBytesAsync(blob));
            var name = $"{layer.Size / 1e6:0} MB | soci create";
            await Comparison.TimeAsync(
                $"index {name}", () => BuildAsync("--blob", blob, "-o", directory.Combine("index.lsi")), CreateAsync);
            await Comparison.TimeAsync(
                $"zTOC {name}", () => BuildAsync("--format", "soci", "--blob", blob, "-o", directory.Combine("ztoc")), CreateAsync);

            async Task CreateAsync()
            {
                await using var soci = new SociTool(containerd);
                await soci.CreateAsync(reference, 4 << 20);
            }
        }
    }

    private static async Task BuildAsync(params string[] arguments) =>
        (await LazysnapProcess.RunAsync(["index", "build", .. arguments])).Checked();
}
