using System.IO.Compression;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.Layers.Tests.Soci;

// The layers in Fixtures (see make.py there), and what soci made of them.
internal static class SociFixture
{
    /// <summary>The tool identifier of soci 0.4.1, which made the expected zTOCs.</summary>
    public const string BuildTool = "AWS SOCI CLI v0.1";

    public static string Folder { get; } = Path.Combine(RepositoryRoot.Path, "tests", "LazySnapshotter.Layers.Tests", "Soci", "Fixtures");

    /// <summary>Layer, span length, and digest or error.</summary>
    public static IEnumerable<(string Layer, long SpanLength, string Result)> Expected =>
        from line in File.ReadLines(Path.Combine(Folder, "ztocs.txt"))
        where !line.StartsWith('#')
        let parts = line.Split(' ', 3)
        select (parts[0], long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), parts[2]);

    public static byte[] Blob(string layer) => File.ReadAllBytes(Path.Combine(Folder, layer));

    public static byte[] Tar(string layer)
    {
        var blob = new MemoryStream(Blob(layer));
        if (layer.EndsWith(".tar", StringComparison.Ordinal))
            return blob.ToArray();
        using var gzip = new GZipStream(blob, CompressionMode.Decompress);
        using var tar = new MemoryStream();
        gzip.CopyTo(tar);
        return tar.ToArray();
    }

    public static Descriptor Descriptor(byte[] blob) =>
        new() { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.OfSha256(blob), Size = blob.Length };

    /// <summary>What a zTOC of the layer is made of, to be written as it is or with something wrong in it.</summary>
    public static ZtocContent Content(byte[] blob, long spanLength)
    {
        using var pass = new ZtocPass(new ZtocOptions { SpanLength = spanLength });
        pass.Append(blob);
        return pass.Complete();
    }

    public static ReadOnlyMemory<byte> Write(ZtocContent content) => ZtocWriter.Write(content, BuildTool);
}
