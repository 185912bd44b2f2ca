using System.Globalization;
using System.IO.Compression;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Benchmarks.Start;

// An image of many layers of many small files, its indexes beside it, as a node has them that runs a few containers.
internal static class LayeredImage
{
    public const int LayerCount = 30;
    private const int FileCount = 1000;

    /// <returns>Its reference.</returns>
    public static async Task<string> PublishAsync(TestRegistry registry)
    {
        var tars = Enumerable.Range(0, LayerCount).Select(Tar).ToList();
        var layers = tars.ConvertAll(tar => registry.Content.AddBlob("layered", Compress(tar), MediaTypes.OciLayerGzip));
        registry.Content.AddImage("layered", "latest", layers, tars.ConvertAll(tar => Digest.OfSha256(tar)));

        await using var directory = TestDirectory.Create();
        var reference = registry.Reference("layered").ToString();
        foreach (var verb in (string[])["build", "push"])
            (await LazysnapProcess.RunAsync("index", verb, "--root", directory.Path, reference)).Checked();
        return reference;
    }

    private static byte[] Tar(int layer)
    {
        var tar = new TestTar().Directory($"layer-{layer}");
        for (var file = 0; file < FileCount; file++)
            tar.Add($"layer-{layer}/file-{file:0000}", data: string.Create(CultureInfo.InvariantCulture, $"content of {file} in {layer}"));
        return tar.End();
    }

    private static byte[] Compress(byte[] tar)
    {
        var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Optimal))
            gzip.Write(tar);
        return blob.ToArray();
    }
}
