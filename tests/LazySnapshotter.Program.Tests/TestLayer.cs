using System.IO.Compression;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Program.Tests;

// A small layer, and a registry's image of it.
internal static class TestLayer
{
    public const string Greeting = "hello from a layer\n";

    private static readonly byte[] _tar = new TestTar()
        .Directory("etc").Add("etc/greeting", data: Greeting).Add("etc/link", '2', link: "greeting")
        .Add("etc/large", data: new string('x', 100_000)).End();

    public static byte[] Blob { get; } = Compress();

    /// <returns>The image's reference.</returns>
    public static string AddTo(TestRegistry registry)
    {
        var blob = registry.Content.AddBlob("image", Blob, MediaTypes.OciLayerGzip);
        registry.Content.AddImage("image", "latest", [blob], [Digest.OfSha256(_tar)]);
        return registry.Reference("image").ToString();
    }

    private static byte[] Compress()
    {
        var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Optimal))
            gzip.Write(_tar);
        return blob.ToArray();
    }
}
