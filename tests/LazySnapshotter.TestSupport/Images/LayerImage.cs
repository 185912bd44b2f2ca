using System.Formats.Tar;
using System.Text;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Processes;

namespace LazySnapshotter.TestSupport.Images;

// An image of one layer, for whoever wants that layer as it is in containerd's content store. Nothing in it need be a tar.
public static class LayerImage
{
    /// <returns>The reference it has in containerd.</returns>
    public static async Task<string> ImportAsync(ContainerdProcess containerd, string name, byte[] layer)
    {
        var isGzip = layer is [0x1F, 0x8B, ..];
        var config = Encoding.ASCII.GetBytes(
            $$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{Digest.OfSha256(layer)}}}"]}}""");
        var manifest = Encoding.ASCII.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Describe(MediaTypes.OciConfig, config)}},"layers":[{{Describe(isGzip ? MediaTypes.OciLayerGzip : MediaTypes.OciLayer, layer)}}]}
            """);
        var index = Encoding.ASCII.GetBytes($$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{Digest.OfSha256(manifest)}}}","size":{{{manifest.Length}}},"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}
            """);

        await using var directory = TestDirectory.Create();
        var archive = directory.Combine("image.tar");
        await using (var tar = new TarWriter(File.Create(archive)))
        {
            await WriteAsync(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray());
            await WriteAsync(tar, "index.json", index);
            foreach (var blob in new[] { config, manifest, layer })
                await WriteAsync(tar, $"blobs/sha256/{Digest.OfSha256(blob).Hex}", blob);
        }

        (await containerd.CtrAsync("images", "import", "--no-unpack", "--base-name", $"local/{name}", archive)).Checked();
        return $"local/{name}:latest";
    }

    private static string Describe(string mediaType, byte[] blob) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest.OfSha256(blob)}}","size":{{blob.Length}}}""";

    private static Task WriteAsync(TarWriter tar, string name, byte[] content) =>
        tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
}
